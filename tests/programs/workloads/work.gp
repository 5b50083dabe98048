print(factor(2^128+1)); print(#digits(1000!)); p = polcompositum(x^3-2, x^2+1)[1]; print(p);
print(vecsum(apply(n -> sigma(n), [1..20000]))); print(bnfinit(x^4-x-1).clgp); print(ellap(ellinit([0,0,1,-1,0]), 10007));
M = matrix(40, 40, i, j, (i*j) % 17 + (i == j)); print(matdet(M)); print(polisirreducible(polcyclo(105)));
quit
