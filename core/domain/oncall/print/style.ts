/** The look of the printed page: dark on white, for A4 or Letter and for a telephone; what matters is told by words and lines, not by colours. */
export const style = `
:root{color-scheme:light}
body{font:16px/1.4 system-ui,sans-serif;color:#1b1b1b;background:#fff;max-width:48rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:1.5rem 0 .3rem;border-top:2px solid #444;padding-top:.6rem;break-after:avoid;overflow-wrap:anywhere}
p{margin:.3rem 0}.made{border:2px solid #444;padding:.5rem .7rem}.note{border-left:4px solid #444;padding-left:.5rem}
table{border-collapse:collapse;table-layout:fixed;width:100%;margin:.4rem 0}caption{text-align:left;color:#4a4a4a;font-size:.875rem;padding:.2rem 0}
th,td{text-align:left;vertical-align:top;border:1px solid #999;padding:.3rem .5rem;overflow-wrap:anywhere}
thead th{background:#eee}thead{display:table-header-group}tr{break-inside:avoid}tbody th{font-weight:400}
thead th:first-child{width:36%}
.person{display:flex;flex-wrap:wrap;gap:0 .8rem;justify-content:space-between}p .person{display:inline-flex}
.tel{color:#1b1b1b;white-space:nowrap;font-variant-numeric:tabular-nums}em{font-style:normal;color:#4a4a4a}
.then{display:block;margin-top:.3rem}.when{display:block;color:#4a4a4a;font-size:.875rem}.nobody{display:block;font-weight:700}
.gap th,.gap td{border-left:5px double #1b1b1b}
ol{margin:.3rem 0;padding-left:1.4rem}li{margin:.2rem 0;break-inside:avoid}
@media (max-width:30rem){body{padding:.6rem;font-size:15px}th,td{padding:.25rem .35rem}}
@media print{@page{margin:12mm}body{max-width:none;padding:0;font-size:10pt}.tel{text-decoration:none}h2{margin-top:1rem}}
`
