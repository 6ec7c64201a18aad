"use strict";
(function () {
  var form = document.getElementById("filter"), table = document.getElementById("m"), section = document.getElementById("f");
  var style = document.head.appendChild(document.createElement("style"));
  var columns = Array.from(table.tHead.rows[1].cells).slice(1), heads = Array.from(table.tHead.rows[0].cells).slice(1);
  var findings = Array.from(section.children), sums = Array.from(document.getElementById("sums").tBodies[0].rows);

  function apply() {
    var f = form.f.value, p = form.p.value, v = form.v.value, g = form.g.value, w = form.w.value.trim().toLowerCase();
    var rules = [], open = [], widths = {};
    function fits(e) { return (!f || e.dataset.f === f) && (!p || e.dataset.p === p); }
    columns.forEach(function (c, n) {
      if (fits(c)) { open.push(n + 1); widths[c.dataset.f] = (widths[c.dataset.f] || 0) + 1; }
      else rules.push("#m tr:nth-child(2)>th:nth-child(" + (n + 2) + "),#m td:nth-child(" + (n + 2) + "){display:none}");
    });
    if (v) rules.push("#m tbody td:not(.v" + v + "){opacity:.2}");
    style.textContent = rules.join("");
    heads.forEach(function (h) { h.hidden = !widths[h.dataset.f]; h.colSpan = widths[h.dataset.f] || 1; });
    Array.from(table.tBodies).forEach(function (body) {
      var any = false;
      if (!g || body.dataset.g === g) Array.from(body.rows).slice(1).forEach(function (row) {
        var said = !w || row.cells[0].textContent.toLowerCase().includes(w);
        var has = !v || open.some(function (n) { return row.cells[n].classList.contains("v" + v); });
        row.hidden = !(said && has);
        any = any || !row.hidden;
      });
      body.hidden = !any;
    });
    sums.forEach(function (row) { row.hidden = !fits(row); });
    var shown = findings.filter(function (e) {
      e.hidden = !(fits(e) && (!v || e.dataset.v === v) && (!g || e.dataset.g === g) && (!w || e.firstElementChild.textContent.toLowerCase().includes(w)));
      return !e.hidden;
    }).length;
    form.querySelector("output").textContent = shown + " of " + findings.length + " findings";
  }

  function open() {
    var e = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!e || e.parentNode !== section) return;
    if (e.hidden) form.reset();
    e.open = true;
    e.scrollIntoView();
    e.firstElementChild.focus({preventScroll: true});
  }

  function move(event) {
    var step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key], cell = event.target.closest("td");
    if (!step || !cell || event.target.tagName !== "A") return;
    var rows = Array.from(table.tBodies).flatMap(function (b) { return Array.from(b.rows); });
    var y = rows.indexOf(cell.parentNode), x = cell.cellIndex;
    for (;;) {
      y += step[0]; x += step[1];
      if (y < 0 || y >= rows.length || x < 1 || x > columns.length) return;
      var next = rows[y].cells[x], link = next && next.querySelector("a");
      if (link && link.offsetParent) { event.preventDefault(); link.focus(); return; }
    }
  }

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply); });
  table.addEventListener("keydown", move);
  addEventListener("hashchange", open);
  apply();
  open();
})();
