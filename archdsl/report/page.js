"use strict";
// What a page does besides being read: films by step, values under the pointer, sorted tables, and the page of a run
// that goes on, which is fetched again when the server says that it has changed. Without scripts everything is shown.

const each = (root, selector, act) => root.querySelectorAll(selector).forEach(act);

// A part of a picture as one step has it: labels, the width of a line and its colour.
function show(part, look) {
  part.querySelectorAll("text").forEach((place, at) => {
    const [text, ...values] = look.texts[at] ?? [""];
    place.textContent = text;
    values.forEach((value, number) => place.setAttribute(["y", "font-size", "fill", "font-weight"][number], value));
  });
  if (!("width" in look)) return;
  for (const line of part.children) {
    const stroke = line.getAttribute("stroke");
    if (stroke && stroke !== "none") {
      line.setAttribute("stroke", look.colour);
      line.setAttribute("stroke-width", look.width);
    }
    if (line.tagName === "polygon") line.setAttribute("fill", look.colour);
  }
}

function film(player) {
  const { steps, films } = JSON.parse(player.querySelector("script").textContent);
  const figures = [...player.querySelectorAll("figure")];
  const slider = player.querySelector("input");
  const output = player.querySelector("output");
  const play = player.querySelector(".play");
  player.querySelector(".controls").hidden = steps.length < 2;
  const parts = figures.map((figure) => {
    const found = new Map();
    each(figure, "[data-part]", (part) => found.set(part.dataset.part, part));
    return found;
  });
  let timer = null;
  const turn = () => {
    const at = Number(slider.value);
    output.textContent = `step ${steps[at].toLocaleString("en")}`;
    films.forEach((frames, number) => {
      const looks = Object.assign({}, ...frames.slice(0, at + 1));
      for (const [key, look] of Object.entries(looks)) show(parts[number].get(key), look);
    });
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  slider.addEventListener("input", () => (stop(), turn()));
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) slider.value = 0;
    play.textContent = "Pause";
    turn();
    timer = setInterval(() => {
      if (!player.isConnected || slider.value === slider.max) return stop();
      slider.value = Number(slider.value) + 1;
      turn();
    }, 400);
  });
  const tabs = [...player.querySelectorAll(".tabs button")];
  const choose = (chosen) => {
    tabs.forEach((tab, at) => tab.setAttribute("aria-pressed", at === chosen));
    figures.forEach((figure, at) => (figure.hidden = at !== chosen));
    figures.forEach(fitting);
  };
  tabs.forEach((tab, at) => tab.addEventListener("click", () => choose(at)));
  if (tabs.length) choose(0);
  turn();
}

// The values of all lines at the step under the pointer.
function reading(chart) {
  const read = chart.closest("figure").querySelector(".read");
  const [x0, x1, left, right] = chart.dataset.x.split(" ").map(Number);
  const [y0, y1, bottom, top] = chart.dataset.y.split(" ").map(Number);
  const value = (y) => {
    const share = (y - bottom) / (top - bottom);
    return chart.dataset.log ? y0 * (y1 / y0) ** share : y0 + share * (y1 - y0);
  };
  const curves = [...chart.querySelectorAll("[data-name]")].map((line) => [
    line.dataset.name,
    line.getAttribute("points").split(" ").map((point) => point.split(",").map(Number)),
  ]);
  const at = document.createElementNS("http://www.w3.org/2000/svg", "line");
  at.setAttribute("class", "at");
  at.setAttribute("y1", top);
  at.setAttribute("y2", bottom);
  chart.addEventListener("pointermove", (event) => {
    const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse()).x;
    const near = curves.map(([name, points]) => [
      name,
      points.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best)),
    ]);
    const place = Math.min(...near.map(([, point]) => Math.abs(point[0] - x)));
    const shown = near.find(([, point]) => Math.abs(point[0] - x) === place)[1][0];
    at.setAttribute("x1", shown);
    at.setAttribute("x2", shown);
    chart.append(at);
    const step = Math.round(x0 + ((shown - left) / (right - left)) * (x1 - x0));
    const values = near.map(([name, point]) => `${name} ${Number(value(point[1]).toPrecision(4))}`.trim());
    read.textContent = `step ${step.toLocaleString("en")}: ${values.join(", ")}`;
  });
  chart.addEventListener("pointerleave", () => (at.remove(), (read.textContent = "")));
}

function sortable(table) {
  each(table, "thead th", (head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      each(table, "thead th", (other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const order = (a, b) => (a !== "" && b !== "" && !isNaN(a) && !isNaN(b) ? a - b : a < b ? -1 : a > b ? 1 : 0);
      const rows = [...body.rows].sort((a, b) => order(key(a), key(b)) * (down ? -1 : 1));
      body.replaceChildren(...rows);
    });
  });
}

// A picture that is wider than the page is scrolled; a button makes it as wide as the page.
function fitting(figure) {
  if (figure.hidden || figure.scrollWidth <= figure.clientWidth + 1 || figure.querySelector(".fit")) return;
  const button = document.createElement("button");
  button.className = "fit";
  button.textContent = "Fit to the page";
  button.addEventListener("click", () => {
    button.textContent = figure.classList.toggle("fitted") ? "Full size" : "Fit to the page";
  });
  figure.prepend(button);
}

function begin(main) {
  each(main, ".player", film);
  each(main, "svg.chart[data-x]", reading);
  each(main, "table.sortable", sortable);
  each(main, ".pic", fitting);
  each(main, "details", (details) => details.addEventListener("toggle", () => each(details, ".pic", fitting)));
}

// What a reader has chosen stays when the page of a run that goes on is shown anew.
function chosen(main) {
  return {
    open: [...main.querySelectorAll("details")].map((each) => each.open),
    tabs: [...main.querySelectorAll(".player")].map((player) => {
      const slider = player.querySelector("input");
      const pressed = [...player.querySelectorAll(".tabs button")].findIndex((tab) => tab.ariaPressed === "true");
      return { pressed, at: slider.value === slider.max ? null : slider.value };
    }),
  };
}

function choose(main, before) {
  main.querySelectorAll("details").forEach((each, at) => (each.open = before.open[at] ?? each.open));
  main.querySelectorAll(".player").forEach((player, at) => {
    const { pressed, at: step } = before.tabs[at] ?? {};
    player.querySelectorAll(".tabs button")[pressed]?.click();
    const slider = player.querySelector("input");
    if (step == null) return;
    slider.value = step;
    slider.dispatchEvent(new Event("input"));
  });
}

async function again() {
  const answer = await fetch("/");
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = chosen(document.querySelector("main"));
  for (const part of ["header.top", "nav", "main"]) document.querySelector(part).replaceWith(page.querySelector(part));
  const main = document.querySelector("main");
  begin(main);
  choose(main, before);
}

document.documentElement.classList.add("js");
begin(document.querySelector("main"));
if (document.body.dataset.live) {
  const events = new EventSource("/events");
  const state = document.querySelector("#live");
  events.addEventListener("changed", again);
  events.addEventListener("open", () => (state.textContent = "live"));
  events.addEventListener("error", () => (state.textContent = "the server has ended; this is what it showed last"));
}
