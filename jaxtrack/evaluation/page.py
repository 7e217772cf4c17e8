"""The report's page, style and script, as plain text."""

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
small, .lead, .key, .hint { color: var(--soft); font-weight: normal; }
.lead { font-size: 1.05rem; margin: .3rem 0 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.sortable { width: 100%; }
th, td { padding: .38rem .7rem; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--rule); }
th { font-weight: 600; font-size: .86rem; color: var(--soft); }
thead tr:last-child th { border-bottom: 2px solid var(--ink); cursor: pointer; }
thead tr:last-child th:hover { color: var(--ink); }
th[aria-sort]::after { content: " \\25B2"; font-size: .65em; }
th[aria-sort="descending"]::after { content: " \\25BC"; }
.n { text-align: right; }
.group { border-left: 1px solid var(--rule); text-align: center; }
.best { font-weight: 700; }
tbody tr:hover td { background-color: #f5f7fa; }
td[style] { background: linear-gradient(90deg, #d8e7f3 calc(var(--s) * 100%),
  transparent 0) no-repeat; }
i { display: inline-block; width: .75em; height: .75em; border-radius: 50%;
  margin-right: .45em; }
.truth { display: inline-block; width: 1.1em; height: .75em; margin-right: .45em;
  background: #fff; border: 2px solid #000; }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); }
figure { margin: 0; }
.few { grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); }
.wide + .plots, .wide + .maps { margin-top: 1.2rem; }
.maps { display: grid; gap: 1.6rem; }
.maps figure { display: flex; flex-direction: column-reverse; max-width: 1000px; }
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
.facts td:first-child { white-space: nowrap; }
ul { padding-left: 1.2rem; }
@media (max-width: 700px) { .shots { grid-template-columns: repeat(2, 1fr); } }
@media print { th { cursor: auto; } section { break-inside: avoid; } }
"""

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = table.tHead.rows[table.tHead.rows.length - 1].cells;
  [...heads].forEach((head, column) => head.addEventListener("click", () => {
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
  }));
}
"""

TEMPLATE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tracking report</title>
<style>$style</style>
</head>
<body>
<h1>Tracking report</h1>
<p class="lead">$lead</p>
<h2>Summary</h2>
$summary
<h2>Curves</h2>
<div class="plots">$plots</div>
<h2>Sequences <small>click a heading to sort</small></h2>
$sequences
<h2>$worst_title</h2>
$worst
$analyses
<h2>How it was scored</h2>
$notes
<h2>How the results were made</h2>
$stamps
<script>$script</script>
</body>
</html>
""")
