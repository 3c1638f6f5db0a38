"use strict";
const rows = JSON.parse(document.getElementById("rows").textContent);
const size = 200;
// The highest risk first.
let shown = rows, page = 0, column = 11, ascending = false;
const body = document.getElementById("instances"), place = document.getElementById("place");
// Worst first, not by the alphabet.
const postures = ["v1-allowed", "unknown", "v2-pending", "v2-required", "endpoint-disabled"];
const value = row => column === 3 ? postures.indexOf(row[3]) : column === 11 ? row[11] ?? -1 : row[column];
const compare = (a, b) => {
  const x = value(a), y = value(b);
  const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en");
  return ascending ? order : -order;
};
function show() {
  body.replaceChildren(...shown.slice(page * size, (page + 1) * size).map(row => {
    const line = document.createElement("tr");
    row.forEach((value, index) => {
      const cell = document.createElement("td");
      cell.textContent = value === null ? "" : value;
      if (index === 3) cell.className = value;
      line.append(cell);
    });
    return line;
  }));
  const last = Math.min((page + 1) * size, shown.length);
  place.textContent = shown.length ? `${page * size + 1} to ${last} of ${shown.length}` : "none";
}
document.querySelectorAll("#list th button").forEach((button, index) => button.addEventListener("click", () => {
  ascending = column === index ? !ascending : true;
  column = index;
  document.querySelectorAll("#list th").forEach((head, other) =>
    other === index ? head.setAttribute("aria-sort", ascending ? "ascending" : "descending") : head.removeAttribute("aria-sort"));
  shown.sort(compare);
  page = 0;
  show();
}));
document.getElementById("search").addEventListener("input", event => {
  const word = event.target.value.toLowerCase();
  shown = word ? rows.filter(row => row.some(value => String(value).toLowerCase().includes(word))) : rows;
  shown.sort(compare);
  page = 0;
  show();
});
document.getElementById("back").addEventListener("click", () => { if (page > 0) { page -= 1; show(); } });
document.getElementById("on").addEventListener("click", () => { if ((page + 1) * size < shown.length) { page += 1; show(); } });
shown.sort(compare);
show();
