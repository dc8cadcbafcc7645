// Draws series as stacked bars with uPlot. The colors are those of the stylesheet, so that they follow light and dark.

import uPlot from "../vendor/uplot.mjs";
import { clockOf } from "../format.mjs";
import { sum } from "./counts.mjs";

const HEIGHT = 170;
// Steps of the axis of numbers: a count is whole.
const STEPS = [1, 2, 5].flatMap((one) => Array.from({ length: 9 }, (_, power) => one * 10 ** power)).sort((a, b) => a - b);

/**
 * @param {HTMLElement} place   gets the drawing, and is as wide as it
 * @param {{starts: number[], seconds: number}} bins
 * @param {{values: number[]}[]} series   the first one is at the bottom
 * @param {(bin: number | null) => void} onPoint   is called with the bin that somebody points at
 * @returns {() => void} removes the drawing
 */
export function plot(place, bins, series, onPoint) {
  const upTo = (index, bin) => sum(series.slice(0, index + 1).map(({ values }) => values[bin]));
  // Null draws nothing. A bar that another one covers wholly would show at its edges.
  const stacked = series.map(({ values }, index) => bins.starts.map((_, bin) => (values[bin] > 0 ? upTo(index, bin) : null)));
  const colors = series.map((_, index) => colorOf(place, `--series-${index + 1}`));
  const { width } = place.getBoundingClientRect();
  // The tallest bars are drawn first, so that each covers all but the top of the one behind it.
  const order = series.map((_, index) => index).reverse();
  const bars = uPlot.paths.bars({ size: [0.85, 40, 1], align: 1 });
  const drawing = new uPlot(
    {
      width: Math.max(width, 100),
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
      scales: {
        x: { range: [bins.starts[0], bins.starts.at(-1) + bins.seconds] },
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
      },
      axes: axes(place),
      series: [{}, ...order.map((index) => ({ paths: bars, fill: colors[index], width: 0, points: { show: false } }))],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.left < 0 ? null : binAt(bins, drawing.posToVal(cursor.left, "x")))] },
    },
    [bins.starts, ...order.map((index) => stacked[index])],
    place,
  );
  const observer = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width > 0 && Math.abs(contentRect.width - drawing.width) >= 1) drawing.setSize({ width: contentRect.width, height: HEIGHT });
  });
  observer.observe(place);
  return () => {
    observer.disconnect();
    drawing.destroy();
  };
}

function binAt({ starts, seconds }, time) {
  const bin = Math.floor((time - starts[0]) / seconds);
  return bin >= 0 && bin < starts.length ? bin : null;
}

function axes(place) {
  const look = { stroke: colorOf(place, "--soft"), grid: { stroke: colorOf(place, "--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return [
    { ...look, size: 28, space: 56, grid: { show: false }, values: (_, times) => times.map((time) => clockOf(time * 1000)) },
    { ...look, incrs: STEPS, space: 32, size: (_, texts) => 14 + 7 * Math.max(1, ...(texts ?? []).map((text) => text.length)), values: (_, numbers) => numbers.map((number) => number.toLocaleString("en")) },
  ];
}

function colorOf(place, name) {
  return getComputedStyle(place).getPropertyValue(name).trim();
}
