"""The report's page, style and script, as plain text."""

import base64
import hashlib
import string

STYLE = """
:root { --ink: #1c2430; --soft: #5d6775; --rule: #dfe3e8; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.2rem 1.5rem 4rem; max-width: 1180px;
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .7rem; }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
.remarks { max-width: 60rem; margin: 0 0 .9rem; }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; overflow-wrap: anywhere; }
.hint { margin: .5rem 0 0; font-size: .86rem; }
small, .lead, .key, .hint { color: var(--soft); font-weight: normal; }
.lead { font-size: 1.05rem; margin: .3rem 0 0; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .9rem 0 0;
  font-size: .9rem; }
a { color: #0060a0; text-decoration: none; }
a:hover { text-decoration: underline; }
.notes { margin: 1.2rem 0 0; padding: .7rem 1rem .7rem 2.1rem; background: #fdf4e3;
  border-left: 4px solid #d98a00; }
h1, h2, h3, .lead, .notes, .note, li, figcaption, dd { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.tall { max-height: 44rem; overflow-y: auto; }
.tall thead { position: sticky; top: 0; z-index: 2; background: var(--paper); }
table { border-collapse: separate; border-spacing: 0;
  font-variant-numeric: tabular-nums; }
.sortable { width: 100%; }
th, td { padding: .38rem .7rem; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--rule); }
th { font-weight: 600; font-size: .86rem; color: var(--soft); }
.sortable .n { min-width: 3.6rem; }
.many th.n { white-space: normal; vertical-align: bottom; }
.many .n { padding-left: .4rem; padding-right: .4rem; }
thead tr:last-child th { border-bottom: 2px solid var(--ink); cursor: pointer; }
thead tr:last-child th:hover { color: var(--ink); }
th[aria-sort]::after { content: " \\25B2"; font-size: .65em; }
th[aria-sort="descending"]::after { content: " \\25BC"; }
.n { text-align: right; }
.group { border-left: 1px solid var(--rule); text-align: center; white-space: normal;
  overflow-wrap: anywhere; min-width: 8.5rem; vertical-align: bottom; }
.group .t span { display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 3; overflow: hidden; }
.best { font-weight: 700; }
.second { text-decoration: underline; text-underline-offset: .2em; }
.sortable td:first-child, .sortable tr:last-child th:first-child { position: sticky;
  left: 0; z-index: 1; background: var(--paper); }
.sortable td:first-child { white-space: normal; overflow-wrap: anywhere;
  min-width: min(14rem, 38vw); max-width: 26rem; }
.t { display: inline-flex; align-items: baseline; text-align: left; }
tbody tr:hover td { background-color: #f5f7fa; }
td[style] { background: linear-gradient(#d8e7f3, #d8e7f3) no-repeat;
  background-size: calc(var(--s) * 100%) 100%; print-color-adjust: exact; }
i { flex: none; width: 1.5em; height: .28em; margin: 0 .5em .22em 0;
  background: currentColor; print-color-adjust: exact; }
.d1 { background: linear-gradient(90deg, currentColor 40%, #0000 0 60%,
  currentColor 0); }
.d2 { background: linear-gradient(90deg, currentColor 42%, #0000 0 54%,
  currentColor 0 66%, #0000 0 78%, currentColor 0); }
.d3 { background: repeating-linear-gradient(90deg, currentColor 0 .2em,
  #0000 0 .43em); }
.p1 { stroke-dasharray: 8 3; }
.p2 { stroke-dasharray: 8 3 2 3; }
.p3 { stroke-dasharray: 2 3; }
.truth { display: inline-block; width: 1.1em; height: .75em; margin-right: .45em;
  background: #fff; border: 2px solid #000; }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); }
figure { margin: 0; }
.roomy { grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); }
.few { grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); }
.wide + .plots, .wide + .maps { margin-top: 1.2rem; }
.maps { display: grid; gap: 1.6rem; overflow-x: auto; }
.maps figure { display: flex; flex-direction: column-reverse; min-width: 560px; }
.maps figcaption { font-size: 1rem; font-weight: 600; color: var(--ink); }
.note { max-width: 60rem; margin: 0 0 .9rem; }
details { margin: .8rem 0; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
img { display: block; width: 100%; height: auto; }
section { margin: 1.2rem 0 1.8rem; padding-top: 1rem;
  border-top: 1px solid var(--rule); }
.shots { display: grid; gap: .6rem; margin-top: .6rem;
  grid-template-columns: repeat(5, minmax(0, 1fr)); }
.shots img { border-radius: 4px; }
figcaption { display: flex; justify-content: space-between; font-size: .8rem;
  color: var(--soft); }
.line { position: relative; padding-left: 2.9rem; }
.line span { position: absolute; left: 0; top: -.5em; width: 2.5rem;
  text-align: right; font-size: .75rem; color: var(--soft); }
.line span.low { top: auto; bottom: -.1em; }
svg { display: block; width: 100%; height: 90px; border-left: 1px solid var(--soft);
  border-bottom: 1px solid var(--soft); overflow: visible; }
polyline { fill: none; stroke-width: 1.8; vector-effect: non-scaling-stroke;
  stroke-linejoin: round; }
.mark { stroke: #9aa3ae; stroke-dasharray: 3 3; vector-effect: non-scaling-stroke; }
.half { stroke: var(--rule); vector-effect: non-scaling-stroke; }
.facts td { white-space: normal; vertical-align: top; font-size: .85rem; }
.facts td:first-child { min-width: 7rem; max-width: 16rem; overflow-wrap: anywhere; }
.nested { margin: 0; }
.nested .nested { margin: .2rem 0 .4rem .2rem; padding-left: .9rem;
  border-left: 2px solid var(--rule); }
.nested div { display: flex; flex-wrap: wrap; column-gap: .6rem; }
.nested details { margin: .1rem 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
.save { margin: .8rem 0 .3rem; font-size: .9rem; }
.copy { margin: 0; padding: .7rem .9rem; max-height: 24rem; overflow: auto;
  background: #f5f7fa; font-size: .8rem; user-select: all; }
ul { padding-left: 1.2rem; }
@media (max-width: 700px) { .shots { grid-template-columns: repeat(2, 1fr); } }
@media print {
  body { max-width: none; padding: 0; }
  nav, .hint, #tables, #tables ~ details { display: none; }
  .group { font-size: .7rem; min-width: 0; }
  .group i { display: none; }
  .wide, .tall, .maps { overflow: visible; max-height: none; }
  .tall thead, .sortable td:first-child, .sortable th:first-child { position: static; }
  section, figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = table.tHead.rows[table.tHead.rows.length - 1].cells;
  [...heads].forEach((head, column) => {
    head.tabIndex = 0;
    head.onkeydown = event => { if (event.key === "Enter") head.click(); };
    head.onclick = () => {
      const down = head.getAttribute("aria-sort")
        ? head.getAttribute("aria-sort") === "ascending"
        : head.classList.contains("n");
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const order = (a, b) => head.classList.contains("n")
        ? key(a) - key(b) : key(a).localeCompare(key(b));
      const rows = [...table.tBodies[0].rows].sort(order);
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    };
  });
}
"""

# Nothing is fetched, sent or framed, and no script runs but the one above: whatever a
# tracker or a sequence is called.
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
)

TEMPLATE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<h1>$title</h1>
<p class="lead">$lead</p>
<nav aria-label="Contents">$contents</nav>
$notes
$chapters
<script>$script</script>
</body>
</html>
""")
