"use strict";
// Everything is drawn from the JSON in the page: {strings, report: heaprake-report/1, flame: {names, stacks}}.
// The view (search, sorting, open findings, theme) stands in the address's fragment, so that a link
// can be passed on.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // Long texts stand once in it: {"$": n} is the n-th of them.
  function filled(value) {
    if (value === null || typeof value !== "object") return value;
    if ("$" in value) return data.strings[value.$];
    for (const name in value) value[name] = filled(value[name]);
    return value;
  }
  filled(data);
  const report = data.report;
  const $ = (id) => document.getElementById(id);

  // Text only ever enters the page as text: names come from other programs.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick") element.addEventListener("click", value);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
  const counted = (number, noun) => grouped(number) + " " + noun + (number === 1 ? "" : "s");
  const times = (number) => (number === 1 ? "once" : number === 2 ? "twice" : grouped(number) + " times");
  function bytes(number) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0, value = number;
    while (value >= 1023.95 && unit < 4) { value /= 1024; ++unit; }
    return (unit ? value.toFixed(1) : value) + " " + units[unit];
  }
  function duration(ms) {
    if (ms < 1000) return ms + " ms";
    const s = Math.floor(ms / 1000);
    if (s < 60) return (ms / 1000).toFixed(1) + " s";
    if (s < 3600) return Math.floor(s / 60) + " min " + (s % 60) + " s";
    return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  }
  const base = (path) => path.slice(path.lastIndexOf("/") + 1);
  // Every anonymous namespace is called so, which says nothing.
  const short = (name) => name.replaceAll("(anonymous namespace)::", "");

  // --- The view ---------------------------------------------------------------------------------
  const view = { q: "", sort: "-bytes", open: new Set(), amount: "bytes", theme: "" };
  function readView() {
    const fields = new URLSearchParams(location.hash.slice(1));
    view.q = fields.get("q") || "";
    view.sort = fields.get("sort") || "-bytes";
    view.open = new Set((fields.get("open") || "").split(",").filter(Boolean).map(Number));
    view.amount = fields.get("amount") || "bytes";
    view.theme = fields.get("theme") || "";
  }
  function writeView() {
    const fields = new URLSearchParams();
    if (view.q) fields.set("q", view.q);
    if (view.sort !== "-bytes") fields.set("sort", view.sort);
    if (view.open.size) fields.set("open", [...view.open].join(","));
    if (view.amount !== "bytes") fields.set("amount", view.amount);
    if (view.theme) fields.set("theme", view.theme);
    history.replaceState(null, "", "#" + fields);
  }

  // --- Frames -----------------------------------------------------------------------------------
  const frameName = (frame) => short(frame.function) ||
      (frame.module ? base(frame.module) + "+0x" + frame.offset.toString(16) : "0x" + frame.offset.toString(16));
  function framePlace(frame) {
    if (frame.file) return base(frame.file) + (frame.line ? ":" + frame.line : "");
    return (frame.function && frame.module ? "in " + base(frame.module) : "") + (frame.closed ? " (closed)" : "");
  }
  // "alloc::vec::Vec<T>::push"; a C++ program's namespace may be called so, with arguments.
  function isOfRusts(frame) {
    if (frame.file ? !frame.file.endsWith(".rs") : /\)$|\) /.test(frame.function)) return false;
    return /^[<&]*(dyn )?(core|alloc|std|hashbrown|__rustc)::/.test(frame.function);
  }
  function isLibrary(frame) {
    if (isOfRusts(frame)) return true;
    const head = short(frame.function).split(/[(<]/)[0];
    return /^(std|__gnu_cxx|__cxxabiv1)::/.test(head.slice(head.lastIndexOf(" ") + 1)) ||
        frame.file.includes("/include/c++/");
  }
  const ownFrame = (stack) => stack.find((frame) => !isLibrary(frame)) || stack[0];
  function allocatedIn(finding) {
    const stack = finding.members.length ? finding.members[0].stack : [];
    return stack.length ? frameName(ownFrame(stack)) : "";
  }

  const kStarts = new Set(["_start", "__libc_start_main", "__libc_start_call_main", "__libc_start_main_impl",
    "start_thread", "clone3", "__clone3", "clone", "__clone"]);
  // Without what calls main or a thread's function.
  function fromMain(stack) {
    const starts = (frame) => frame && kStarts.has(frame.function);
    let end = stack.length;
    if (end > 2 && !stack[end - 1].function && starts(stack[end - 2])) --end;
    while (end > 1 && starts(stack[end - 1])) --end;
    return stack.slice(0, end);
  }

  // A library's frames are one line until somebody asks for them.
  function stackList(whole) {
    const stack = fromMain(whole);
    const list = make("ol", { class: "stack mono" });
    const own = ownFrame(stack);
    const item = (frame) => make("li", { class: frame === own ? "own" : undefined, title: frame.file || frame.module },
        frameName(frame), " ", make("span", { class: "dim" }, framePlace(frame)));
    for (let i = 0; i < stack.length;) {
      let end = i;
      while (end < stack.length && isLibrary(stack[end])) ++end;
      if (end - i < 2) { list.append(item(stack[i++])); continue; }
      const folded = stack.slice(i, end);
      const line = make("li", {});
      line.append(make("button", { type: "button", onclick: () => line.replaceWith(...folded.map(item)) },
          counted(folded.length, "frame") + " of the " + (isOfRusts(folded[0]) ? "Rust" : "C++") + " library"));
      list.append(line);
      i = end;
    }
    return list;
  }

  // --- A structure as a drawing -----------------------------------------------------------------
  const kMostDrawn = 40;
  function svg(tag, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }
  const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + "…" : text);

  // Columns by distance from the first member; rows in the order in which members are met.
  function layers(finding, count) {
    const next = Array.from({ length: count }, () => []);
    finding.edges.forEach((edge) => { if (edge.from < count && edge.to < count) next[edge.from].push(edge.to); });
    const column = new Array(count).fill(-1);
    const columns = [];
    for (let start = 0; start < count; ++start) {
      if (column[start] >= 0) continue;
      column[start] = 0;
      const queue = [start];
      for (const node of queue) {
        (columns[column[node]] ||= []).push(node);
        for (const to of next[node]) if (column[to] < 0) { column[to] = column[node] + 1; queue.push(to); }
      }
    }
    return { column, columns };
  }

  // A shared_ptr is two words: what leads from one member to another is drawn once.
  function joined(finding, count) {
    const lines = new Map();
    finding.edges.forEach((edge, i) => {
      if (edge.from >= count || edge.to >= count) return;
      const key = edge.from + ">" + edge.to;
      if (!lines.has(key)) lines.set(key, { from: edge.from, to: edge.to, labels: new Set(), closing: false });
      const line = lines.get(key);
      line.labels.add(edge.field || "+" + edge.offset);
      line.closing ||= i === finding.closing_edge;
    });
    return lines.values();
  }

  function drawing(finding) {
    const count = Math.min(finding.members.length, kMostDrawn);
    const { column, columns } = layers(finding, count);
    const kWidth = 190, kHeight = 46, kAcross = 300, kDown = 92, kMargin = 46;
    const place = [];
    columns.forEach((nodes, x) => nodes.forEach((node, y) => {
      place[node] = { x: kMargin + x * kAcross, y: kMargin + y * kDown };
    }));
    const rows = Math.max(...columns.map((nodes) => nodes.length));
    const width = kMargin * 2 + (columns.length - 1) * kAcross + kWidth + 40;
    const height = kMargin * 2 + (rows - 1) * kDown + kHeight + 30;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
    picture.append(svg("title", {}, finding.title));
    const id = "head" + finding.id;
    for (const [name, kind] of [[id, ""], [id + "c", "closing-head"]]) {
      const head = svg("marker", { id: name, class: kind, viewBox: "0 0 10 10", refX: 9, refY: 5,
        markerUnits: "userSpaceOnUse", markerWidth: 10, markerHeight: 10, orient: "auto-start-reverse" });
      head.append(svg("path", { d: "M0 0L10 5L0 10z" }));
      picture.append(head);
    }
    for (const edge of joined(finding, count)) {
      const a = place[edge.from], b = place[edge.to];
      let d, x, y;
      if (edge.from === edge.to) {
        d = `M${a.x + kWidth - 40} ${a.y} C${a.x + kWidth - 50} ${a.y - 42} ${a.x + kWidth + 22} ${a.y - 42} ${a.x + kWidth - 12} ${a.y}`;
        x = a.x + kWidth - 22; y = a.y - 34;
      } else if (column[edge.to] > column[edge.from]) {
        const y1 = a.y + kHeight / 2, y2 = b.y + kHeight / 2, bend = (b.x - a.x - kWidth) / 2;
        d = `M${a.x + kWidth} ${y1} C${a.x + kWidth + bend} ${y1} ${b.x - bend} ${y2} ${b.x} ${y2}`;
        x = (a.x + kWidth + b.x) / 2; y = (y1 + y2) / 2 - 6;
      } else if (column[edge.to] === column[edge.from]) {
        const down = b.y > a.y;
        const y1 = down ? a.y + kHeight : a.y, y2 = down ? b.y : b.y + kHeight, x1 = a.x + kWidth / 2 + (down ? 10 : -30);
        d = `M${x1} ${y1} C${x1 + 16} ${(y1 + y2) / 2} ${x1 + 16} ${(y1 + y2) / 2} ${x1} ${y2}`;
        x = x1 + 20; y = (y1 + y2) / 2;
      } else {
        const low = Math.max(a.y, b.y) + kHeight + 34;
        d = `M${a.x + kWidth / 2} ${a.y + kHeight} C${a.x + kWidth / 2} ${low} ${b.x + kWidth / 2} ${low} ${b.x + kWidth / 2} ${b.y + kHeight}`;
        x = (a.x + b.x + kWidth) / 2; y = (Math.max(a.y, b.y) + kHeight) * 0.25 + low * 0.75 + 14;
      }
      const line = svg("path", { d, class: edge.closing ? "closing" : "", "marker-end": `url(#${edge.closing ? id + "c" : id})` });
      const label = [...edge.labels].join(", ");
      picture.append(line, svg("text", { x, y, "text-anchor": "middle", class: edge.closing ? "closing-label" : "small" },
          cut(label, 26) + (edge.closing ? " closes it" : "")));
    }
    for (let i = 0; i < count; ++i) {
      const member = finding.members[i], at = place[i];
      const group = svg("g", {});
      const name = short(member.type || member.role || "block");
      group.append(svg("title", {}, `#${i} ${name} at ${member.address}\n${member.verdict || ""}`));
      group.append(svg("rect", { x: at.x, y: at.y, width: kWidth, height: kHeight, rx: 7, class: member.part_of === null ? "" : "part" }));
      group.append(svg("text", { x: at.x + 10, y: at.y + 19 }, cut(`#${i} ${name}`, 25)));
      const size = member.folded_blocks > 1 ? counted(member.folded_blocks, "block") + ", " + bytes(member.folded_bytes)
                                            : counted(member.size, "byte");
      group.append(svg("text", { x: at.x + 10, y: at.y + 36, class: "small" }, size));
      picture.append(group);
    }
    return picture;
  }

  // --- A finding in detail ----------------------------------------------------------------------
  const kMostMembers = 200;
  function membersTable(finding) {
    const body = make("tbody", {});
    finding.members.slice(0, kMostMembers).forEach((member, i) => body.append(make("tr", {},
        make("td", { class: "dim number" }, "#" + i),
        make("td", {}, short(member.type) || make("span", { class: "dim" }, member.role ? "" : "unknown type"),
            member.role ? make("div", { class: "dim" }, short(member.role)) : null),
        make("td", { class: "number" }, member.folded_blocks > 1 ? grouped(member.folded_bytes) + " in " + counted(member.folded_blocks, "block")
                                                                   : grouped(member.size)),
        make("td", {}, member.verdict || (member.refcount + " found" +
            (member.refcount && member.refcount === member.references_inside ? ", all from inside" : ""))),
        make("td", { class: "mono dim number" }, member.address))));
    const omitted = finding.members_omitted + Math.max(finding.members.length - kMostMembers, 0);
    if (omitted) body.append(make("tr", {}, make("td", { colspan: 5, class: "dim" }, "and " + counted(omitted, "block") + " more")));
    return make("table", { class: "members" }, make("thead", {}, make("tr", {}, make("th", {}, ""), make("th", {}, "member"),
        make("th", { class: "number" }, "bytes"), make("th", {}, "references"), make("th", {}, "address"))), body);
  }

  function edgesTable(finding) {
    const body = make("tbody", {});
    const name = (i) => "#" + i + " " + (short(finding.members[i].type) || finding.members[i].role.split(" ")[0] || "block");
    finding.edges.slice(0, kMostMembers).forEach((edge, i) => {
      const closing = i === finding.closing_edge;
      body.append(make("tr", { class: closing ? "red" : undefined },
          make("td", {}, name(edge.from) + (edge.field ? "." + edge.field : "")),
          make("td", { class: "number" }, "offset " + edge.offset), make("td", {}, "→ " + name(edge.to) + (edge.inner ? " + " + edge.inner : "")),
          make("td", {}, closing ? "closes the cycle" : "")));
    });
    const omitted = finding.edges_omitted + Math.max(finding.edges.length - kMostMembers, 0);
    if (omitted)
      body.append(make("tr", {}, make("td", { colspan: 4, class: "dim" },
          "and " + (finding.members_omitted ? "at least " : "") + counted(omitted, "reference") + " more")));
    return make("table", {}, body);
  }

  function stacks(finding) {
    const seen = new Set();
    const parts = [];
    finding.members.forEach((member, i) => {
      const key = JSON.stringify(member.stack);
      if (!member.stack.length || member.part_of !== null || seen.has(key) || parts.length === 6) return;
      seen.add(key);
      parts.push(make("div", {}, make("h3", {}, "#" + i + " " + (short(member.type) || "block") + " was allocated in"), stackList(member.stack)));
    });
    return parts;
  }

  function when(finding) {
    if (!finding.first_ms && !finding.last_ms) return "";
    const ago = (ms) => duration(Math.max(report.uptime_ms - ms, 0)) + " before this report";
    const thread = finding.members.length ? finding.members[0].thread : null;
    return (finding.structures === 1 ? "Allocated " + ago(finding.last_ms)
        : "First allocated " + ago(finding.first_ms) + ", last " + ago(finding.last_ms)) +
        (thread ? ", by thread " + thread.tid + (thread.name ? " (" + thread.name + ")" : "") : "") + ".";
  }

  function detail(finding) {
    const intro = make("div", { class: "wide" });
    if (finding.varying.length)
      intro.append(make("p", {}, "Not all alike: " + finding.varying.slice(0, 6).map((v) => short(grouped(v.structures) + " with " + v.part)).join(", ") +
          (finding.varying.length > 6 ? ", and so on." : ".")));
    if (finding.advice) intro.append(make("p", { class: "green" }, short(finding.advice)));
    const age = when(finding);
    if (age) intro.append(make("p", {}, age));
    if (finding.last_held)
      intro.append(make("p", {}, (finding.last_held.another ? "One of them was last held " : "Last held ") + duration(finding.last_held.uptime_ms) + " after the start, by " + finding.last_held.path + "."));
    const columns = make("div", { class: "columns" }, intro,
        make("div", {}, make("h3", {}, "Members of one of them"), membersTable(finding)),
        make("div", {}, finding.edges.length ? make("h3", {}, "References") : null, finding.edges.length ? edgesTable(finding) : null));
    if (finding.members.length > 1) {
      const drawn = make("div", { class: "wide" }, make("h3", {}, "Drawn" +
          (finding.members.length > kMostDrawn ? ", the first " + kMostDrawn + " members" : "")));
      drawn.append(make("div", { class: "drawing" }, drawing(finding)));
      columns.append(drawn);
    }
    columns.append(...stacks(finding));
    return columns;
  }

  // --- The table of findings --------------------------------------------------------------------
  const kColumns = [
    ["id", "#", (f) => f.id, true], ["title", "what", (f) => f.title || f.shape], ["shape", "shape", (f) => f.shape],
    ["structures", "times", (f) => f.structures, true], ["blocks", "blocks", (f) => f.blocks, true],
    ["bytes", "bytes", (f) => f.bytes, true], ["allocated", "allocated in", allocatedIn], ["last", "last", (f) => f.last_ms, true],
  ];
  const haystacks = new Map();
  function haystack(finding) {
    if (!haystacks.has(finding))
      haystacks.set(finding, [finding.title, finding.shape, finding.advice, ...finding.members.flatMap((m) =>
        [m.type, m.role, m.address, ...m.stack.flatMap((f) => [f.function, f.file, f.module])])].join("\n").toLowerCase());
    return haystacks.get(finding);
  }
  const found = (finding) => haystack(finding).includes(view.q.toLowerCase());

  function marked(text) {
    const at = view.q ? text.toLowerCase().indexOf(view.q.toLowerCase()) : -1;
    if (at < 0) return [text];
    return [text.slice(0, at), make("mark", {}, text.slice(at, at + view.q.length)), text.slice(at + view.q.length)];
  }

  function findingRow(finding) {
    const open = view.open.has(finding.id);
    const toggle = () => {
      if (!view.open.delete(finding.id)) view.open.add(finding.id);
      writeView();
      drawFindings();
    };
    const row = make("tr", { class: "finding" + (open ? " open" : "") + (finding.known ? " known" : ""), tabindex: 0,
      "aria-expanded": String(open), onclick: toggle },
        make("td", { class: "number dim" }, String(finding.id)),
        make("td", {}, ...marked(short(finding.title)), finding.known ? make("span", { class: "dim" }, " (in the baseline)") : null),
        make("td", {}, make("span", { class: "shape " + finding.shape }, finding.shape)),
        make("td", { class: "number" }, grouped(finding.structures)), make("td", { class: "number" }, grouped(finding.blocks)),
        make("td", { class: "number" }, grouped(finding.bytes)), make("td", { class: "mono" }, ...marked(cut(allocatedIn(finding), 90))),
        make("td", { class: "number dim" }, finding.last_ms ? duration(Math.max(report.uptime_ms - finding.last_ms, 0)) + " ago" : ""));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === row) toggle(); });
    return open ? [row, make("tr", { class: "detail" }, make("td", { colspan: kColumns.length }, detail(finding)))] : [row];
  }

  let mostRows = 50;  // until somebody asks for more
  function drawFindings() {
    const descending = view.sort.startsWith("-");
    const name = view.sort.replace("-", "");
    const value = (kColumns.find((c) => c[0] === name) || kColumns[5])[2];
    const compare = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
    const rows = report.findings.filter(found);
    rows.sort((a, b) => (descending ? compare(b, a) : compare(a, b)) || a.id - b.id);
    $("findings").tHead.replaceChildren(make("tr", {}, ...kColumns.map(([key, label, , number]) => make("th", {
      class: "sortable" + (number ? " number" : ""), tabindex: 0,
      "aria-sort": key === name ? (descending ? "descending" : "ascending") : undefined,
      onclick: () => {
        view.sort = view.sort === "-" + key ? key : view.sort === key ? "-" + key : number ? "-" + key : key;
        writeView();
        drawFindings();
      } }, label))));
    const kept = rows.slice(0, mostRows);
    $("findings").tBodies[0].replaceChildren(...kept.flatMap(findingRow));
    const sum = (key) => rows.reduce((total, f) => total + f[key], 0);
    const s = report.summary, left = s.findings - report.findings.length;
    $("shown").replaceChildren(...[s.findings === 0 ? "Nothing is lost."
        : counted(rows.length, "finding") + (rows.length < s.findings ? " of " + grouped(s.findings) : "") +
          ": " + counted(sum("blocks"), "block") + ", " + counted(sum("bytes"), "byte") + ". ",
      rows.length > kept.length ? make("button", { type: "button", onclick: () => { mostRows = Infinity; drawFindings(); } },
          "show the " + grouped(rows.length - kept.length) + " below as well") : "",
      left ? " This page has the " + grouped(report.findings.length) + " largest findings; heaprake report --top=0 --json FILE has the " +
          counted(left, "smaller one") + " as well." : ""]);
  }

  // --- The flame graph --------------------------------------------------------------------------
  const kAmounts = [["bytes", "leaked bytes"], ["retained", "retained bytes"], ["blocks", "leaked blocks"]];
  let zoomed = null;
  function flameTree(amount) {
    const root = { name: "all", value: 0, children: new Map(), depth: 0, parent: null };
    for (const stack of data.flame.stacks) {
      const value = stack[amount];
      if (!value) continue;
      let node = root;
      node.value += value;
      for (const frame of stack.frames) {
        const name = short(data.flame.names[frame].name);
        if (!node.children.has(name))
          node.children.set(name, { name, frame, value: 0, children: new Map(), depth: node.depth + 1, parent: node });
        node = node.children.get(name);
        node.value += value;
      }
    }
    return root;
  }
  function colour(name) {
    let hash = 7;
    for (const c of name) hash = (hash * 31 + c.charCodeAt(0)) >>> 0;
    return `hsl(${18 + (hash % 38)} ${72 + (hash >> 8) % 20}% ${62 + (hash >> 16) % 12}%)`;
  }
  function drawFlame() {
    const amount = (kAmounts.find((a) => a[0] === view.amount) || kAmounts[0])[0];
    $("amounts").replaceChildren(...kAmounts.map(([key, label]) => make("button", { type: "button",
      "aria-pressed": String(key === amount), onclick: () => { view.amount = key; zoomed = null; writeView(); drawFlame(); } }, label)));
    const whole = flameTree(amount);
    let top = whole;
    for (const name of zoomed || []) top = top.children.get(name) || top;
    const total = whole.value;
    const unit = (value) => (amount === "blocks" ? counted(value, "block") : grouped(value) + " bytes");
    const area = $("flame");
    area.replaceChildren();
    let deepest = 0;
    const add = (node, left, width, depth) => {
      deepest = Math.max(deepest, depth);
      const path = [];
      for (let at = node; at.parent; at = at.parent) path.unshift(at.name);
      const info = node.frame === undefined ? null : data.flame.names[node.frame];
      const place = info && info.file ? "\n" + info.file + (info.line ? ":" + info.line : "") : "";
      const missed = view.q && !(node.name + place).toLowerCase().includes(view.q.toLowerCase());
      const box = make("button", { class: "frame" + (missed ? " missed" : ""), type: "button",
        title: node.name + "\n" + unit(node.value) + ", " + (100 * node.value / total).toFixed(1) + " %" + place,
        onclick: () => { zoomed = path; drawFlame(); } }, node.name);
      box.style.cssText = `left:${left}%;width:${width}%;top:${depth * 19}px;background:${colour(node.name)}`;
      area.append(box);
    };
    const ancestors = [];
    for (let at = top.parent; at; at = at.parent) ancestors.unshift(at);
    ancestors.forEach((node, depth) => add(node, 0, 100, depth));
    const draw = (node, left, width, depth) => {
      add(node, left, width, depth);
      let at = left;
      for (const child of [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const share = width * child.value / node.value;
        if (share > 0.05) draw(child, at, share, depth + 1);
        at += share;
      }
    };
    if (total) draw(top, 0, 100, ancestors.length);
    area.style.height = total ? (deepest + 1) * 19 + "px" : "0";
    $("unzoom").hidden = !zoomed || !zoomed.length;
    $("flame-hint").textContent = total ? (amount === "retained"
        ? "Each structure's bytes, where its root was allocated. " : "") + "Callers above, allocations below. Click a frame to make it the whole width."
        : "Nothing to draw.";
  }

  // --- The rest ---------------------------------------------------------------------------------
  function drawHead() {
    const program = report.program.join(" ") || "a program";
    document.title = "heaprake: " + cut(program, 60);
    $("title").textContent = cut(program, 160);
    $("subtitle").textContent = ["process " + report.pid + (report.host && " on " + report.host), report.taken && "examined " + report.taken.replace("T", " ").replace("Z", " UTC"),
      report.uptime_ms && duration(report.uptime_ms) + " after its start"].filter(Boolean).join(", ");
    if (!report.complete) {
      $("incomplete").hidden = false;
      $("incomplete").textContent = "Incomplete: " + report.incomplete_because.join("; ");
    }
    const s = report.summary;
    const tiles = [["lost bytes", bytes(s.leaked_bytes), grouped(s.leaked_bytes)], ["lost blocks", grouped(s.leaked_blocks)],
      ["structures", grouped(s.structures)], ["of these cycles", grouped(s.object_cycles)], ["perhaps lost, blocks", grouped(s.uncertain_blocks)],
      ["suppressed blocks", grouped(s.suppressed_blocks)], ["still reachable", bytes(s.reachable_bytes), counted(s.reachable_blocks, "block")]];
    $("tiles").replaceChildren(...tiles.map(([label, value, title]) => make("div", { class: "tile", title }, make("b", {}, value), label)));
  }
  function drawOthers() {
    const fill = (id, head, rows) => {
      if (!rows.length) return;
      $(id).hidden = false;
      const table = $(id).querySelector("table");
      table.tHead.replaceChildren(make("tr", {}, ...head.map((h) => make("th", {}, h))));
      table.tBodies[0].replaceChildren(...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, String(cell))))));
    };
    fill("near", ["what", "held only by", "blocks", "bytes", "allocated in"], report.near_leaks.map((f) => [short(f.title),
      f.certainty === "interior" ? "references into its middle" : "a stack frame that looks dead", grouped(f.blocks), grouped(f.bytes), allocatedIn(f)]));
    fill("suppressed", ["rule", "in", "findings", "blocks", "bytes"], report.suppressions.map((u) =>
      [u.rule, u.file, u.findings || "unused", grouped(u.blocks), grouped(u.bytes)]));
  }
  function applyTheme() {
    if (view.theme) document.documentElement.dataset.theme = view.theme;
    else delete document.documentElement.dataset.theme;
  }
  function drawAll() {
    applyTheme();
    $("search").value = view.q;
    drawFindings();
    drawFlame();
  }

  $("search").addEventListener("input", () => { view.q = $("search").value; writeView(); drawFindings(); drawFlame(); });
  $("unzoom").addEventListener("click", () => { zoomed = null; drawFlame(); });
  $("theme").addEventListener("click", () => {
    const dark = view.theme ? view.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    view.theme = dark ? "light" : "dark";
    writeView();
    applyTheme();
  });
  addEventListener("hashchange", () => { readView(); drawAll(); });
  readView();
  drawHead();
  drawOthers();
  drawAll();
})();
