// Ratings as a radar chart: where its points lie, and the SVG that shows them.
import {kRatingMax} from './report.js';

const kSvg = 'http://www.w3.org/2000/svg';
const kWidth = 400;
const kHeight = 316;
const kCentre = {x: 200, y: 166};
const kRadius = 112;
const kLabelGap = 16;
const kRingEvery = 2;
const kAxesMin = 3;  // With fewer there is no area to see.

// Of the index-th of `count` axes, the first upwards, clockwise.
export function pointAt(index, count, distance) {
  const angle = (2 * Math.PI * index) / count - Math.PI / 2;
  return {x: kCentre.x + distance * Math.cos(angle), y: kCentre.y + distance * Math.sin(angle)};
}

export function pointOf(index, count, rating) {
  return pointAt(index, count, (kRadius * rating) / kRatingMax);
}

// `axes`: [{label, rating}]. Undefined, when there is too little to draw.
export function radarChart(axes, name) {
  if (axes.length < kAxesMin) {
    return undefined;
  }
  const chart = svg('svg', {class: 'radar', viewBox: `0 0 ${kWidth} ${kHeight}`, role: 'img', 'aria-label': name});
  for (let ring = kRingEvery; ring <= kRatingMax; ring += kRingEvery) {
    chart.append(polygon('ring', axes.map((_, i) => pointOf(i, axes.length, ring))));
  }
  const points = axes.map(({rating}, i) => pointOf(i, axes.length, rating));
  chart.append(...axes.map((_, i) => axis(i, axes.length)), polygon('area', points));
  chart.append(...points.map(({x, y}) => svg('circle', {class: 'point', cx: rounded(x), cy: rounded(y), r: 5})));
  chart.append(...axes.map((each, i) => label(each, i, axes.length)));
  return chart;
}

function axis(index, count) {
  const end = pointAt(index, count, kRadius);
  return svg('line', {class: 'axis', x1: kCentre.x, y1: kCentre.y, x2: rounded(end.x), y2: rounded(end.y)});
}

// Beside its axis, growing away from the chart.
function label({label: text, rating}, index, count) {
  const {x, y} = pointAt(index, count, kRadius + kLabelGap);
  const side = x - kCentre.x;
  const anchor = Math.abs(side) < 1 ? 'middle' : side > 0 ? 'start' : 'end';
  const rise = y < kCentre.y - kRadius ? -14 : y > kCentre.y ? 12 : 0;
  const made = svg('text', {class: 'label', x: rounded(x), y: rounded(y + rise), 'text-anchor': anchor});
  const value = svg('tspan', {class: 'value', x: rounded(x), dy: '1.15em'});
  value.textContent = String(rating);
  made.append(text, value);
  return made;
}

function polygon(name, points) {
  return svg('polygon', {class: name, points: points.map(({x, y}) => `${rounded(x)},${rounded(y)}`).join(' ')});
}

function rounded(length) {
  return Math.round(length * 100) / 100;
}

function svg(name, attributes) {
  const made = document.createElementNS(kSvg, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    made.setAttribute(attribute, value);
  }
  return made;
}
