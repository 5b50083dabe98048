"""Programs that make or change pictures, sound and documents; and one with a window."""
from program import row, steps

# What is not the same in two native runs: dates and ids.
PDF = r"^/(ID|CreationDate|ModDate) .*|/ID ?\[.*|<xmp:(Create|Modify)Date>.*|uuid:[-0-9a-f]+|<</Producer.*|^.*(CreationDate|ModDate).*"

PROGRAMS = [
    row("convert (ImageMagick)", "imagemagick-6.q16", steps(
        "convert-im6.q16 picture.ppm -strip -resize 200% -blur 0x2 -rotate 17 -define "
        "png:exclude-chunks=date,time out.png", "convert-im6.q16 picture.ppm -strip -colors 16 out.gif",
        "convert-im6.q16 picture.ppm -strip -quality 80 -charcoal 2 out.jpg",
        "identify-im6.q16 -format '%w %h %k\\n' out.gif", given="picture.ppm", ignored="out.gif out.png"),
        "/usr/bin/convert-im6.q16", threshold="1m"),
    row("ffmpeg", "ffmpeg", steps(
        "ffmpeg -v error -f lavfi -i testsrc=d=2:s=320x240:r=25 -f lavfi -i sine=d=2 -threads 2 -c:v "
        "mpeg4 -c:a aac -bitexact -flags +bitexact -fflags +bitexact out.mp4",
        "ffmpeg -v error -i out.mp4 -vf scale=160:120,hue=h=30 -threads 2 -f framemd5 -",
        "ffmpeg -v error -f lavfi -i testsrc=d=1:s=160x120:r=25 -c:v libx264 -threads 2 -bitexact -f framecrc -",
        "ffprobe -v error -show_format -show_streams out.mp4"), threshold="1m"),
    row("dot (Graphviz)", "graphviz", steps(
        "dot -Tsvg -o out.svg graph.dot", "neato -Tplain graph.dot", "dot -Tpng -o out.png graph.dot",
        given="graph.dot"), "/usr/bin/dot", threshold="128k"),
    row("rsvg-convert", "librsvg2-bin", steps(
        "rsvg-convert -z 2 -o out.png picture.svg", "rsvg-convert -f svg -o out.svg picture.svg",
        given="picture.svg")),
    row("gs (Ghostscript)", "ghostscript", steps(
        "gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -o out.pdf page.ps",
        "gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=png16m -r50 -o page%d.png page.ps",
        "gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=txtwrite -o - out.pdf", given="page.ps",
        ignored="out.pdf", mask=PDF), "/usr/bin/gs", threshold="256k"),
    row("qpdf", "qpdf ghostscript", steps(
        "!gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -o in.pdf page.ps",
        "qpdf --deterministic-id --stream-data=uncompress --object-streams=disable in.pdf out.pdf",
        "qpdf --check out.pdf", "qpdf --deterministic-id --linearize --pages . 1-3 out.pdf 2-z -- in.pdf two.pdf",
        "qpdf --json out.pdf", given="page.ps", ignored="*.pdf", mask=PDF + r"|.*\b[0-9a-f]{32}\b.*|.*D:20.*")),
    row("pdftotext, pdftoppm (poppler)", "poppler-utils ghostscript", steps(
        "!gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -o in.pdf page.ps", "pdftotext -layout in.pdf -",
        "pdftoppm -r 60 in.pdf page", "pdftocairo -svg -f 2 -l 2 in.pdf out.svg", "pdffonts in.pdf",
        "pdfseparate in.pdf part%d.pdf", given="page.ps", ignored="*.pdf"), "/usr/bin/pdftoppm /usr/bin/gs",
        threshold="128k"),
    row("tesseract", "tesseract-ocr imagemagick-6.q16", steps(
        "!convert-im6.q16 -size 500x120 -font DejaVu-Sans -pointsize 32 xc:white -fill black -annotate "
        "+20+70 'reachable memory' text.png", "tesseract text.png - --psm 7 -c tessedit_do_invert=0",
        ignored="text.png", env={"OMP_THREAD_LIMIT": "2"}), threshold="2m"),
    row("sox", "sox", steps(
        "sox -R -n -r 44100 out.wav synth 3 sine 300-3000 reverb 40 pitch 200", "sox -R out.wav -n stat",
        "sox -R out.wav -r 22050 half.flac rate -v tempo 1.2"), collections=3),
    row("flac", "flac sox", steps(
        "!sox -R -n -r 44100 in.wav synth 6 pinknoise", "flac -s -8 in.wav -o out.flac", "flac -s -t out.flac",
        "flac -s -d out.flac -o out.wav"), "/usr/bin/flac /usr/bin/sox", collections=3),
    row("cwebp", "webp imagemagick-6.q16", steps(
        "!convert-im6.q16 picture.ppm -strip -define png:exclude-chunks=date,time in.png", "cwebp -quiet -m 6 -mt in.png -o out.webp", "cwebp -quiet -lossless in.png -o two.webp",
        "dwebp -quiet out.webp -ppm -o out.ppm", given="picture.ppm", ignored="in.png"), collections=3),
    row("optipng", "optipng imagemagick-6.q16", steps(
        "!convert-im6.q16 picture.ppm -strip -define png:exclude-chunks=date,time in.png",
        "optipng -q -o3 in.png -out out.png", given="picture.ppm", ignored="in.png"), collections=3),
    row("doxygen", "doxygen", steps(
        "!sh -c 'doxygen -g - | sed -e \"s/^\\(EXTRACT_ALL *=\\).*/\\1 YES/\" -e \"s/^\\(GENERATE_LATEX "
        "*=\\).*/\\1 NO/\" -e \"s/^\\(HAVE_DOT *=\\).*/\\1 NO/\" > Doxyfile'", "doxygen -q Doxyfile",
        given="source.c"), threshold="4m"),
    row("LibreOffice Calc", "libreoffice-calc-nogui", steps(
        "soffice -env:UserInstallation=file:///tmp/heaprake-lo --headless --convert-to xlsx data.csv",
        "soffice -env:UserInstallation=file:///tmp/heaprake-lo --headless --convert-to html data.csv",
        given="data.csv", ignored="*.xlsx .*"), "/usr/bin/soffice", threshold="8m"),
]
