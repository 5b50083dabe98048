a = reshape (sin (1:90000), 300, 300);
printf ("%.6f %.6f\n", norm (a, 1), trace (a * a'));
c = cell (1, 3000); for i = 1:3000, c{i} = sprintf ("item%d", mod (i * 7919, 977)); end
printf ("%d\n", numel (unique (c)));
s = struct (); for i = 1:2000, s.(["k" num2str(mod (i, 300))]) = [1:i]; end
printf ("%d\n", numel (fieldnames (s)));
printf ("%d ", cellfun (@numel, regexp (strjoin (c, ","), '(\d)(\d)', 'tokens')(1:20))); disp ("");
f = @(x) x.^2 - 2; printf ("%.8f\n", fzero (f, [0 2]));
x = (a' * a + eye (300)) \ ones (300, 1); printf ("%.6f\n", sum (x)); printf ("%.4f\n", real (sum (fft (a(:, 1))(2:9))));
