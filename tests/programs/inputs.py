"""Files that workloads read: the same ones every time, made up here."""
import json
import random

WORDS = ("heap root block page stack global word mark sweep free thread stop world queue edge graph "
         "cycle leak owner table range byte store load fault guard signal wait lock door").split()


def sentences(rng, count):
    return "".join(
        " ".join(rng.choice(WORDS) for _ in range(rng.randrange(4, 15))).capitalize() + ".\n"
        for _ in range(count))


def text(rng):
    return sentences(rng, 12000)


def short(rng):
    return sentences(rng, 900)


def records(rng):
    return [{"id": i, "name": f"{rng.choice(WORDS)}{rng.randrange(500)}", "price": rng.randrange(9999),
             "tags": rng.sample(WORDS, 3), "nested": {"x": rng.random(), "y": [None, True, i % 7]}}
            for i in range(9000)]


def xml(rng):
    rows = "".join(f'  <item id="{i}" kind="{r["tags"][0]}"><name>{r["name"]}</name>'
                   f'<price>{r["price"]}</price><note>{" ".join(r["tags"])}</note></item>\n'
                   for i, r in enumerate(records(rng)))
    return f'<?xml version="1.0"?>\n<list>\n{rows}</list>\n'


XSL = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:output method="html" indent="yes"/>
<xsl:key name="kind" match="item" use="@kind"/>
<xsl:template match="/list"><html><body><table>
<xsl:for-each select="item[generate-id() = generate-id(key('kind', @kind)[1])]">
<xsl:sort select="@kind"/>
<tr><td><xsl:value-of select="@kind"/></td><td><xsl:value-of select="count(key('kind', @kind))"/></td>
<td><xsl:value-of select="sum(key('kind', @kind)/price)"/></td></tr>
<xsl:for-each select="key('kind', @kind)[price &gt; 5000]"><xsl:sort select="name"/>
<tr><td colspan="3"><xsl:value-of select="concat(name, ' ', price)"/></td></tr></xsl:for-each>
</xsl:for-each></table></body></html></xsl:template>
</xsl:stylesheet>
"""


def html(rng):
    parts = [f"<h2>{rng.choice(WORDS)} {i}<h2><p>{sentences(rng, 4)}<ul><li>one<li><b>two</ul>"
             f"<table><tr><td>{rng.randrange(99)}<td>{rng.choice(WORDS)}</table>" for i in range(400)]
    return "<html><head><title>A page</title><body>" + "\n".join(parts)


def markdown(rng):
    parts = [f"# Chapter {i}\n\n{sentences(rng, 6)}\n- *{rng.choice(WORDS)}*\n- `{rng.choice(WORDS)}`\n\n"
             f"| a | b |\n|---|---|\n| {rng.random():.4f} | [x](#y) |\n" for i in range(60)]
    return "\n".join(parts)


def csv(rng):
    return "id,word,price\n" + "".join(
        f"{i},{rng.choice(WORDS)},{rng.random() * 100:.3f}\n" for i in range(20000))


def numbers(rng):
    return "".join(f"{rng.randrange(10**9)} {rng.random():.6f} {rng.choice(WORDS)}\n" for _ in range(60000))


def graph(rng):
    edges = "".join(f"  n{i} -> n{rng.randrange(i)} [label=\"{rng.choice(WORDS)}\"];\n"
                    for i in range(1, 130))
    return f"digraph g {{\n  node [shape=box];\n{edges}}}\n"


def svg(rng):
    shapes = "".join(
        f'<circle cx="{rng.randrange(600)}" cy="{rng.randrange(400)}" r="{rng.randrange(2, 40)}" '
        f'fill="#{rng.randrange(1 << 24):06x}" fill-opacity="0.6"/>'
        f'<path d="M{rng.randrange(600)} 10 C 20 {rng.randrange(400)}, 400 20, {rng.randrange(600)} 300" '
        f'stroke="black" fill="none"/>' for _ in range(500))
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400">{shapes}</svg>\n'


def postscript(rng):
    body = "".join(f"{rng.randrange(500)} {rng.randrange(700)} moveto ({rng.choice(WORDS)}) show\n"
                   f"{rng.random():.2f} setgray {rng.randrange(500)} {rng.randrange(700)} 30 40 rectfill\n"
                   + ("showpage /Helvetica findfont 12 scalefont setfont\n" if i % 100 == 99 else "")
                   for i in range(1500))
    return f"%!PS\n/Helvetica findfont 12 scalefont setfont\n{body}showpage\n"


def image(rng):
    """A picture as plain portable pixmap."""
    pixels = " ".join(str((x * y + rng.randrange(30)) % 256) for y in range(240) for x in range(960))
    return f"P3\n320 240\n255\n{pixels}\n"


def grammar(rng):
    tokens = "".join(f"%token T{i}\n" for i in range(60))
    rules = "\n".join(f"r{i}: T{i} r{i + 1} | r{i} T{rng.randrange(60)} | ;" for i in range(59))
    return f"{tokens}%%\nstart: r0;\n{rules}\nr59: T59;\n%%\n"


def scanner(rng):
    rules = "\n".join(f'"{a}{b}"[a-f]*[0-9]+  return {i * 40 + j};'
                      for i, a in enumerate(WORDS[:14]) for j, b in enumerate(WORDS[:14]))
    return f"%option noyywrap\n%%\n{rules}\n.|\\n ;\n%%\nint main(void) {{ return yylex(); }}\n"


def sources(rng):
    return "".join(f"/** Does {rng.choice(WORDS)}. @param x {rng.choice(WORDS)} */\n"
                   f"int f{i}(int x) {{ return {'f%d(x - 1)' % (i - 1) if i else 'x'}; }}\n"
                   f"/** A {rng.choice(WORDS)}. */\nstruct s{i} {{ int a; /**< first */ int b; }};\n"
                   for i in range(400))


def assembly(rng):
    return "section .text\nglobal _start\n_start:\n" + "".join(
        f"l{i}: mov rax, {rng.randrange(9999)}\n add rax, rbx\n cmp rax, rcx\n jne l{rng.randrange(15000)}\n"
        for i in range(15000))


FILES = {
    "text.txt": text, "short.txt": short, "data.json": lambda rng: json.dumps(records(rng)),
    "data.xml": xml, "page.html": html, "book.md": markdown, "data.csv": csv, "numbers.txt": numbers,
    "graph.dot": graph, "picture.svg": svg, "page.ps": postscript, "picture.ppm": image,
    "grammar.y": grammar, "scanner.l": scanner, "source.c": sources, "code.asm": assembly,
    "style.xsl": lambda rng: XSL,
}


def write(directory, names):
    for name in names:
        (directory / name).write_text(FILES[name](random.Random(name)))


def tree(directory, files):
    """A directory of many small files."""
    rng = random.Random(17)
    for i in range(files):
        path = directory / f"dir{i % 9}" / f"sub{i % 4}" / f"file{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sentences(rng, rng.randrange(1, 120)))
