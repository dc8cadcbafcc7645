// One chart: what it shows in a sentence, the drawing, a legend with the sum of each code, and all numbers as a table.

import { element, tableHead } from "../dom.mjs";
import { clockOf } from "../format.mjs";
import { binsOf, drawnOf, seriesOf, sum } from "./counts.mjs";
import { plot } from "./plot.mjs";

const moment = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/**
 * @param {{key: string, title: string, about: string, pick: (counts: object) => object | undefined, nameOf?: (code: string) => string}} chart
 * @returns {{element: HTMLElement, update: (list: object[], span: object) => void, redraw: () => void, remove: () => void}}
 *   update: shows other counts; redraw: in other colors
 */
export function openChart({ key, title, about, pick, nameOf = (code) => code }) {
  const place = element("div", { class: "plot", role: "img" });
  const readout = element("p", { class: "soft readout" });
  const legend = element("ul", { class: "legend", role: "list" });
  const table = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Numbers of ${title}` });
  const details = element("details", { ontoggle: () => details.open && showTable() }, element("summary", {}, "All numbers"), table);
  const none = element("p", { class: "soft" });
  const section = element("section", { class: "chart", "aria-labelledby": `chart-${key}` },
    element("h2", { id: `chart-${key}` }, title), element("p", { class: "soft small" }, about), none, place, readout, legend, details);
  let shown = { series: [] };
  let remove = () => {};

  const showTable = () => table.replaceChildren(tableOf(shown, title, nameOf));
  const draw = () => {
    remove();
    remove = shown.series.length > 0 && place.isConnected ? plot(place, shown.bins, shown.drawn, (bin) => (readout.textContent = readingOf(shown, bin, nameOf))) : () => {};
  };
  const update = (list, span) => {
    const bins = binsOf(list, span);
    const series = seriesOf(list, bins, pick);
    shown = { bins, series, drawn: drawnOf(series), span };
    const isNone = series.length === 0;
    for (const part of [place, readout, legend, details]) part.hidden = isNone;
    none.hidden = !isNone;
    none.textContent = `None in ${span.last}.`;
    place.setAttribute("aria-label", `${title}. ${readingOf(shown, null, nameOf)} The numbers are in the table below.`);
    readout.textContent = readingOf(shown, null, nameOf);
    legend.replaceChildren(...shown.drawn.map(({ code, total }, index) =>
      element("li", {}, element("span", { class: `swatch series-${index + 1}` }), `${nameOf(code)} `, element("strong", { class: "number" }, total.toLocaleString("en")))));
    if (details.open) showTable();
    draw();
  };
  return { element: section, update, redraw: draw, remove: () => remove() };
}

/** What a bin has, or the sum of all and the bin that has most. */
function readingOf({ bins, series, drawn, span }, bin, nameOf) {
  if (series.length === 0) return "";
  if (bin === null) {
    const totals = bins.starts.map((_, place) => sum(series.map(({ values }) => values[place])));
    const most = Math.max(...totals);
    return `${sum(totals).toLocaleString("en")} in ${span.last}, the most at ${timeOf(bins, totals.indexOf(most))}: ${most.toLocaleString("en")}.`;
  }
  const parts = drawn.filter(({ values }) => values[bin] > 0).map(({ code, values }) => `${nameOf(code)} ${values[bin].toLocaleString("en")}`);
  return `${timeOf(bins, bin)}: ${parts.join(", ") || "none"}`;
}

/** When a bin begins, with the day if that is not today. */
function timeOf({ starts }, bin) {
  const date = new Date(starts[bin] * 1000);
  return date.toDateString() === new Date().toDateString() ? clockOf(date) : moment.format(date);
}

/** Each bin and code that has a number, the newest first, and the sum of each code. */
function tableOf({ bins, series, span }, title, nameOf) {
  const row = (time, code, number) => element("tr", {}, element("td", {}, time), element("td", {}, nameOf(code)), element("td", { class: "number" }, number.toLocaleString("en")));
  const rows = bins.starts.flatMap((_, bin) => series.filter(({ values }) => values[bin] > 0).map(({ code, values }) => row(timeOf(bins, bin), code, values[bin])));
  return element("table", { class: "numbers" },
    element("caption", {}, `${title} in ${span.last}, by ${span.step === 1 ? "minute" : `${span.step} minutes`}`),
    tableHead("From", "Code", "Number"),
    element("tbody", {}, ...rows.reverse()),
    element("tfoot", {}, ...series.map(({ code, total }) => row("All", code, total))),
  );
}
