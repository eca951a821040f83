/** The report's style sheet: system fonts, colours for light and dark, for screens of every width and for paper. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --sunken: #f3f3ef; --ink: #1b1d22; --muted: #666b76; --line: #deded8; --accent: #1d5fb8;
  --member: #6a7385; --ensemble: #1d5fb8; --compact: #c4570a; --mark: #eaf1fb; --shade: rgb(0 0 0 / .13);
  --right: #1d5fb8; --wrong: #e0661c; --on-right: #ffffff; --on-wrong: #1b1d22; --good: #1f7a48; --bad: #b3400b;
  --series-0: #1d5fb8; --series-1: #d1530b; --series-2: #23875a; --series-3: #8b4fb9;
  --series-4: #b08600; --series-5: #0f8f9c; --series-6: #c23a6b; --series-7: #6a7385;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #15171b; --sunken: #20232a; --ink: #eceef2; --muted: #9aa1ae; --line: #353942; --accent: #79aef5;
    --member: #9aa4b8; --ensemble: #79aef5; --compact: #f29a55; --mark: #1d2a3d; --shade: rgb(0 0 0 / .6);
    --right: #4f8fe6; --wrong: #f0803a; --on-right: #0e1013; --on-wrong: #0e1013; --good: #6cc795; --bad: #f29a55;
    --series-0: #79aef5; --series-1: #f29a55; --series-2: #6cc795; --series-3: #c39bea;
    --series-4: #dcb94a; --series-5: #58c8d4; --series-6: #ef86ae; --series-7: #a3abbb;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, body > header, body > footer { max-width: 1168px; margin: 0 auto; padding: 0 24px; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Iowan Old Style", Georgia, Cambria, serif; font-weight: 600; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(26px, 4.2vw, 40px); line-height: 1.15; letter-spacing: -0.01em; margin: 8px 0 14px; max-width: 28em; }
h2 { font-size: 23px; line-height: 1.25; margin: 0 0 6px; }
p { margin: 0 0 12px; max-width: 72ch; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 2px; }
body > header { padding-top: 44px; }
.eyebrow { color: var(--muted); font-size: 13px; margin: 0; }
.lead { font-size: 17px; }
.banner { border: 1px solid var(--compact); border-left-width: 5px; padding: 8px 14px; margin: 14px 0; }
section { padding-top: 44px; }
section > p, .key { color: var(--muted); }
.key { font-size: 13px; margin-top: 6px; }
ol.key { columns: 2; column-gap: 28px; padding-left: 26px; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 0 28px; margin: 26px 0 0; border-bottom: 1px solid var(--line); }
.facts > div { border-top: 2px solid var(--ink); padding: 10px 0 16px; min-width: 0; }
.facts dt { font-size: 13px; color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts dd.figure { font-size: 29px; line-height: 1.25; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.facts dd.figure small { font-size: 16px; letter-spacing: 0; }
.facts dd.detail { font-size: 14px; color: var(--muted); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 16px 0 0; font-size: 14px; }
.scroll {
  overflow-x: auto; margin: 12px 0 0;
  background:
    linear-gradient(to right, var(--page) 40%, transparent) left / 36px 100% no-repeat local,
    linear-gradient(to left, var(--page) 40%, transparent) right / 36px 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / 12px 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / 12px 100% no-repeat scroll;
}
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 7px; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: middle; }
thead th { color: var(--muted); font-weight: 500; font-size: 12.5px; vertical-align: bottom; border-bottom-color: var(--muted); }
th:first-child { text-align: left; }
th.room { min-width: var(--room); }
tbody th { font-weight: 500; white-space: normal; overflow-wrap: anywhere; }
tbody + tbody > tr:first-child > * { border-top: 2px solid var(--line); }
.results tbody th { max-width: 240px; }
.kind-name { text-align: left; color: var(--muted); }
th.axis { width: 224px; min-width: 110px; }
.panels th.room { min-width: min(var(--room), 150px); }
.ends { display: flex; justify-content: space-between; gap: 8px; }
.results th:first-child { position: sticky; left: 0; background: var(--page); z-index: 1; }
tr.chosen > *, .results tr.chosen > th:first-child { background: var(--mark); }
td small, th small { color: var(--muted); font-weight: 400; font-size: 12px; }
th small.detail { display: block; font-size: 12.5px; }
.kind { display: inline-block; width: 9px; height: 9px; margin-right: 7px; border-radius: 50%; background: var(--member); }
.kind.ensemble { border-radius: 0; clip-path: polygon(50% 0, 100% 100%, 0 100%); background: var(--ensemble); }
.kind.compact { border-radius: 0; background: var(--compact); }
.badge { display: inline-block; margin-left: 6px; padding: 0 6px; border: 1px solid var(--accent); border-radius: 9px; color: var(--accent); font-size: 11.5px; line-height: 16px; }
.bar { display: block; height: 4px; margin-top: 3px; background: var(--sunken); }
.bar > i { display: block; height: 100%; background: var(--compact); }
.better { color: var(--good); } .worse { color: var(--bad); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 10px 0 4px; font-size: 13px; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 6px; min-width: 0; overflow-wrap: anywhere; }
.legend svg { flex: none; }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px 20px; align-items: start; }
.panels.uneven { grid-template-columns: minmax(0, 720fr) minmax(0, 380fr); }
.panels > * { min-width: 0; }
.chart { container-type: inline-size; }
.chart .narrow { display: none; }
.plot { display: block; max-width: 100%; height: auto; font-family: inherit; font-size: 12px; fill: currentColor; color: var(--muted); overflow: visible; }
.plot text { white-space: pre; }
.plot g[stroke="var(--page)"] { paint-order: stroke; }
.strip { display: block; width: 100%; height: 20px; }
.strip .rail { stroke: var(--line); }
.strip .whisker { stroke: var(--muted); stroke-width: 2; }
.strip .faint { stroke: var(--muted); stroke-opacity: .55; }
.strip .value { fill: var(--member); stroke: var(--page); }
.strip .reference { fill: none; stroke: var(--muted); stroke-width: 1.25; }
.strip.strong .value { fill: var(--accent); }
.strip.strong .whisker { stroke: var(--accent); }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--accent); font-size: 14px; }
dl.notes { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; font-size: 14px; margin: 12px 0 0; }
dl.notes dt { color: var(--muted); }
dl.notes dd { margin: 0; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
body > footer { padding-top: 56px; padding-bottom: 40px; color: var(--muted); font-size: 13px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 900px) { .panels, .panels.uneven { grid-template-columns: minmax(0, 1fr); } }
@container (max-width: 480px) { .chart .wide { display: none; } .chart .narrow { display: block; } }
@media (max-width: 560px) {
  main, body > header, body > footer { padding-left: 16px; padding-right: 16px; }
  body > header { padding-top: 24px; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 16px; }
  .facts dd.figure { font-size: 23px; }
  th, td { padding: 6px 6px; }
  th.room { min-width: min(var(--room), 150px); }
  .results th.room { min-width: min(var(--room), 128px); } .results tbody th { max-width: 140px; }
  .kind-name { display: none; }
  dl.notes { grid-template-columns: minmax(0, 1fr); gap: 0; } dl.notes dd { margin-bottom: 8px; }
}
@media print {
  :root { color-scheme: light; --ink: #000000; --muted: #555555; --line: #cccccc; }
  body { font-size: 10.5pt; }
  main, body > header, body > footer { max-width: none; padding: 0; }
  nav, details > summary { display: none; }
  section { padding-top: 22px; }
  section, tr, .chart, .facts > div { break-inside: avoid; }
  section.long { break-inside: auto; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; background: none; }
  .facts { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0 16px; }
  .facts dd.figure { font-size: 17pt; } .facts dd.detail { font-size: 9pt; }
  .panels, .panels.uneven { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  th small.detail, td small { font-size: 7.5pt; }
  table { font-size: 8pt; } th, td { padding: 3px 4px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
