"use strict";
(() => {
  const PAGE = 40;
  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  const words = read("words");
  const data = read("voices-data");

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text; // never innerHTML: a customer's words stay text
    if (className) made.className = className;
    return made;
  }

  function button(text, act) {
    const made = element("button", text);
    made.type = "button";
    made.addEventListener("click", () => act(made));
    return made;
  }

  // --- the theme table: sorted by family, sub-themes stay under their parent

  const table = byId("theme-table");
  for (const header of table ? table.querySelectorAll("th[data-sort]") : []) {
    const key = header.dataset.sort;
    const note = header.querySelector("small");
    const name = header.firstChild.textContent.trim();
    const sort = button(name, () => sortBy(header, key));
    sort.className = "sort";
    sort.title = words.sort.replace("{name}", name);
    header.replaceChildren(sort, element("span", name, "printed"), ...(note ? [note] : [])); // paper repeats no button
  }
  if (table) table.querySelector('th[data-sort="rank"]').setAttribute("aria-sort", "ascending");

  function sortBy(header, key) {
    const current = header.getAttribute("aria-sort");
    const first = key === "rank" || key === "name" || key === "impact" ? "ascending" : "descending";
    const order = current ? (current === "ascending" ? "descending" : "ascending") : first;
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const value = (body) => (key === "name" ? body.dataset.name : body.dataset[key] === "" ? null : Number(body.dataset[key]));
    const sign = order === "ascending" ? 1 : -1;
    const bodies = [...table.tBodies].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null); // unknown last, whatever the order
      return sign * (key === "name" ? x.localeCompare(y, document.documentElement.lang) : x - y);
    });
    table.append(...bodies);
    fold(table);
  }

  // --- long tables: the first rows, the rest on demand; without this script, and on paper, all of them

  const LEAST_FOLDED = 3;
  for (const long of document.querySelectorAll("table[data-fold]")) {
    const place = element("p", undefined, "tools fold");
    place.append(button("", () => { long.dataset.open = long.dataset.open ? "" : "true"; fold(long); }));
    (long.closest(".scroll") || long).after(place);
    fold(long);
  }

  function fold(long) {
    const rows = [...long.tBodies].flatMap((body) => [...body.rows]);
    const kept = Number(long.dataset.fold);
    const rest = rows.length - kept < LEAST_FOLDED ? 0 : rows.length - kept;
    rows.forEach((row, i) => row.classList.toggle("folded", rest > 0 && !long.dataset.open && i >= kept));
    const place = (long.closest(".scroll") || long).nextElementSibling;
    place.hidden = !rest;
    place.firstChild.textContent = long.dataset.open ? words.fold_less : words.fold_more.replace("{n}", rest);
    place.firstChild.setAttribute("aria-expanded", Boolean(long.dataset.open));
  }

  // --- the themes' sections: links, collapse

  const FIRST_OPEN = 3;
  const sections = [...document.querySelectorAll("details.theme")];

  function openTarget() {
    const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  }

  async function copyLink(id, pressed) {
    const link = location.href.split("#")[0] + "#" + id;
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      const field = element("textarea", link);
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    pressed.textContent = words.copied;
    setTimeout(() => { pressed.textContent = words.copy; }, 2000);
  }

  for (const place of document.querySelectorAll('[data-tools="theme"]')) {
    place.append(
      button(words.copy, (pressed) => copyLink("theme-" + place.dataset.theme, pressed)),
      button(words.all_voices, () => find({ theme: place.dataset.theme })),
    );
  }
  const tools = document.querySelector('[data-tools="voices"]');
  if (tools) {
    const setAll = (open) => sections.forEach((section) => { section.open = open; });
    tools.append(button(words.open_all, () => setAll(true)), button(words.close_all, () => setAll(false)));
  }
  sections.slice(FIRST_OPEN).forEach((section) => { section.open = false; });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
  addEventListener("hashchange", openTarget);
  openTarget();

  // --- the search

  const form = byId("finder");
  const results = byId("results");
  const status = form.querySelector(".found");
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  let haystacks = null;
  let matches = [];
  let shown = 0;

  function options(select, pairs) {
    select.append(new Option(words.any, ""), ...pairs.map(([value, text]) => new Option(text, value)));
  }

  options(form.elements.theme, [
    ...data.themes.map(([id, name, parent]) => [id, (data.themes.some((other) => other[0] === parent) ? "　" : "") + name]),
    ["-", words.no_theme],
  ]);
  options(form.elements.sentiment, data.sentiments.map((code, i) => [i, words.sentiments[code]]));
  options(form.elements.group, data.groups.map((code, i) => [i, words.groups[code]]));
  data.segments.forEach(([, values], i) => options(form.elements["segment-" + i], values.map((value, j) => [j, value])));

  function themesUnder(id) {
    const wanted = new Set([id]);
    for (const [child, , parent] of data.themes) if (wanted.has(parent)) wanted.add(child);
    return new Set(data.themes.flatMap(([other], i) => (wanted.has(other) ? [i] : [])));
  }

  function search() {
    const field = (name) => form.elements[name].value;
    const terms = plain(field("words")).split(/\s+/).filter(Boolean);
    if (terms.length) haystacks = haystacks || data.rows.map((row) => plain(row[0]));
    const themes = field("theme") === "-" ? new Set([-1]) : field("theme") ? themesUnder(field("theme")) : null;
    const equal = [[2, field("sentiment")], [3, field("group")]]
      .concat(data.segments.map((_, i) => [7 + i, field("segment-" + i)]))
      .filter(([, value]) => value !== "");
    matches = data.rows.filter((row, i) =>
      (!themes || themes.has(row[1])) &&
      equal.every(([at, value]) => row[at] === Number(value)) &&
      terms.every((term) => haystacks[i].includes(term)));
    status.textContent = words.found.replace("{n}", matches.length.toLocaleString(document.documentElement.lang));
    results.replaceChildren();
    shown = 0;
    showMore(terms);
  }

  function showMore(terms) {
    const next = matches.slice(shown, shown + PAGE);
    results.append(...next.map((row) => voice(row, terms)));
    shown += next.length;
    const place = document.querySelector('[data-tools="more"]');
    place.replaceChildren(...(shown < matches.length ? [button(words.more, () => showMore(terms))] : []));
  }

  function voice(row, terms) {
    const [text, theme, sentiment, group, score, day, reference] = row;
    const code = data.sentiments[sentiment];
    const item = element("li");
    const quote = element("blockquote", undefined, code);
    const foot = element("footer");
    const who = words.groups[data.groups[group]] + (score === null ? "" : " " + score);
    const told = [theme < 0 ? words.no_theme : data.themes[theme][1], who,
      ...data.segments.map(([, values], i) => values[row[7 + i]]), day, reference];
    foot.append(element("span", words.sentiments[code], "badge " + code),
      ...told.filter(Boolean).map((part) => element("span", part)));
    quote.append(marked(text, terms), foot);
    item.append(quote);
    return item;
  }

  function marked(text, terms) {
    const line = element("p");
    const flat = text.toLowerCase();
    let at = 0;
    while (at < text.length) {
      let start = -1, length = 0;
      for (const term of terms) {
        const found = flat.indexOf(term, at);
        if (found >= 0 && (start < 0 || found < start)) [start, length] = [found, term.length];
      }
      if (start < 0) break;
      line.append(text.slice(at, start), element("mark", text.slice(start, start + length)));
      at = start + length;
    }
    line.append(text.slice(at));
    return line;
  }

  function find(fields) {
    form.reset();
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    search();
    byId("search").scrollIntoView();
    form.elements.words.focus({ preventScroll: true });
  }

  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 120); });
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  form.addEventListener("reset", () => setTimeout(search));
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select, textarea")) {
      event.preventDefault();
      form.elements.words.focus();
    }
  });
  form.hidden = false;
  search();
  document.documentElement.dataset.ready = "true";
})();
