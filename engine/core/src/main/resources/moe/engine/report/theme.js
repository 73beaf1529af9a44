'use strict';

// Colours come from the style sheet, so charts follow light, dark and print.
function theme() {
  const style = getComputedStyle(document.documentElement);
  const names = ['paper', 'panel', 'ink', 'soft', 'line', 'main', 'second', 'third', 'faint', 'cold',
    'even', 'hot', 'on-hot'];
  const colours = {};
  for (const name of names) colours[name] = style.getPropertyValue('--' + name).trim();
  colours.font = getComputedStyle(document.body).fontFamily;
  return colours;
}

// Makes an element; text is set as text, so nothing in it can become markup.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

// About three digits: 50,257; 502; 36.1; 4.32; 0.0123; 3.0e-7.
function number(value) {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 100) return whole.format(value);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return size >= 1e-4 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

// A tick of an axis: no more digits than it needs.
function tick(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(0);
  return size >= 100 ? whole.format(value) : String(Number(value.toPrecision(6)));
}

function percent(share) {
  return (share * 100).toFixed(share > 0 && share < 0.01 || share > 0.99 && share < 1 ? 1 : 0) + ' %';
}

function millis(value) {
  return value >= 1000 ? number(value / 1000) + ' s' : number(value) + ' ms';
}

// A box at the pointer: a heading and rows of name and value.
function tip(heading, rows) {
  const box = element('div', {className: 'tip'}, element('b', {textContent: heading}));
  for (const [name, value] of rows) {
    box.append(element('div', {}, element('span', {textContent: name}), element('span', {textContent: value})));
  }
  return box;
}

// What all charts share.
function base(t) {
  return {
    animation: false,
    textStyle: {fontFamily: t.font, color: t.soft, fontSize: 12},
    grid: {left: 4, right: 12, top: 34, bottom: 26, containLabel: true},
    tooltip: {
      backgroundColor: t.paper, borderColor: t.line, padding: [6, 10], confine: true,
      textStyle: {color: t.ink, fontSize: 12, fontFamily: t.font},
      extraCssText: 'box-shadow: 0 2px 10px rgba(0, 0, 0, .12); border-radius: 6px;',
      axisPointer: {type: 'line', lineStyle: {color: t.soft, type: 'solid', opacity: 0.4}},
    },
    legend: {
      top: 0, right: 0, itemWidth: 16, itemHeight: 8, itemGap: 14, icon: 'roundRect',
      textStyle: {color: t.soft, fontSize: 12},
    },
  };
}

function stepAxis(t, data, width) {
  const last = data.series.steps.length ? data.series.steps[data.series.steps.length - 1] : 1;
  const first = data.heldOut.points.length && data.heldOut.points[0][0] === 0 ? 0 : Math.min(1, last);
  return {
    type: 'value', min: first, max: Math.max(last, first + 1), name: 'step', nameLocation: 'middle', nameGap: 26,
    nameTextStyle: {color: t.soft}, minInterval: 1, splitNumber: width < 300 ? 3 : width < 700 ? 5 : 8,
    axisLine: {lineStyle: {color: t.line}}, axisTick: {show: false}, splitLine: {show: false},
    axisLabel: {color: t.soft, hideOverlap: true, showMinLabel: first === 0, showMaxLabel: false, formatter: value => whole.format(value)},
  };
}

function valueAxis(t, name, more = {}) {
  return {
    type: 'value', name, nameTextStyle: {color: t.soft, align: 'left', padding: [0, 0, 2, -4]}, nameGap: 12, scale: true,
    splitNumber: 4, axisLine: {show: false}, axisTick: {show: false},
    splitLine: {lineStyle: {color: t.line}}, axisLabel: {color: t.soft, formatter: tick}, ...more,
  };
}

function line(name, points, colour, more = {}) {
  return {
    name, type: 'line', data: points, showSymbol: false, connectNulls: false,
    lineStyle: {width: 2, color: colour}, itemStyle: {color: colour}, emphasis: {disabled: true}, ...more,
  };
}

function pairs(steps, values) {
  return steps.map((step, i) => [step, values[i]]);
}
