// Heat maps of expert load: 0 is unused, 1 the fair share, 2 or more overloaded.

function heat(t, {columns, rows, cells, columnName, rowName, cellWidth, labelled, heading}) {
  const axis = (values, name, more) => ({
    type: 'category', data: values, name, nameTextStyle: {color: t.soft}, axisLine: {show: false}, axisTick: {show: false},
    splitArea: {show: false}, axisLabel: {color: t.soft, hideOverlap: true}, ...more,
  });
  return {
    ...base(t),
    grid: {left: 4, right: 4, top: 44, bottom: 26, containLabel: true},
    legend: {show: false},
    tooltip: {
      ...base(t).tooltip,
      formatter: hit => tip(heading(hit.value), [['of its fair share', hit.value[2].toFixed(2) + ' ×']]),
    },
    xAxis: axis(columns, columnName, {nameLocation: 'middle', nameGap: 26}),
    yAxis: axis(rows, rowName, {inverse: true, nameLocation: 'start', nameGap: 10, nameTextStyle: {color: t.soft, align: 'left', padding: [0, 0, 0, -4]}}),
    visualMap: {
      type: 'continuous', min: 0, max: 2, orient: 'horizontal', right: 0, top: 0, itemWidth: 10, itemHeight: 90,
      text: ['2 × or more', 'unused'], textGap: 8, textStyle: {color: t.soft, fontSize: 12}, hoverLink: false,
      inRange: {color: [t.cold, t.even, t.hot]},
    },
    series: [{
      type: 'heatmap', data: cells, emphasis: {itemStyle: {borderColor: t.ink, borderWidth: 1}},
      itemStyle: {borderColor: t.paper, borderWidth: cellWidth > 12 ? 2 : cellWidth > 5 ? 1 : 0},
      label: {show: labelled, formatter: hit => hit.value[2].toFixed(hit.value[2] < 9.95 ? 1 : 0), fontSize: 12},
    }],
  };
}

// A label that can be read on its cell.
function ink(t, share) {
  return Math.abs(share - 1) > 0.6 ? t['on-hot'] : t.ink;
}

function count(length) {
  return Array.from({length}, (_, i) => String(i));
}

function loadChart(data) {
  const total = data.load.total;
  const experts = total[0].length;
  const row = experts > 32 || total.length > 16 ? 14 : 30;
  const busiest = total.map(layer => Math.max(...layer));
  const layer = busiest.indexOf(Math.max(...busiest));
  return {
    title: 'Load of each expert', wide: true, height: 72 + Math.max(3, total.length) * row,
    note: 'Assignments over the fair share, whole run: 1 is even.',
    describe: `The busiest expert has ${number(busiest[layer])} times its fair share, in layer ${layer}; the least busy has ${number(Math.min(...total.flat()))}.`,
    option: (t, width) => {
      const cellWidth = (width - 40) / experts;
      return heat(t, {
        columns: count(experts), rows: count(total.length), columnName: 'expert', rowName: 'layer', cellWidth,
        labelled: cellWidth >= 30 && row === 30,
        cells: total.flatMap((shares, y) => shares.map((share, x) => ({value: [x, y, share], label: {color: ink(t, share)}}))),
        heading: value => `Layer ${value[1]}, expert ${value[0]}`,
      });
    },
  };
}

function loadOverTimeChart(data) {
  const {binEnds, overTime} = data.load;
  if (binEnds.length < 3) return null;
  const experts = overTime[0][0].length;
  const chart = {
    title: 'Load over time', wide: true, height: 72 + Math.max(4, experts) * (experts > 32 ? 5 : experts > 12 ? 12 : 22),
    note: 'One layer at a time, each row an expert.',
    describe: `Load of ${experts} experts in ${binEnds.length} parts of the run.`,
    choices: overTime.map((_, layer) => `Layer ${layer}`),
    choice: 0,
    option: (t, width) => heat(t, {
      columns: binEnds.map(step => whole.format(step)), rows: count(experts), columnName: 'step', rowName: 'expert',
      cellWidth: Math.min((width - 40) / binEnds.length, experts > 32 ? 5 : 12), labelled: false,
      cells: overTime[chart.choice].flatMap((shares, x) => shares.map((share, y) => [x, y, share])),
      heading: value => `Layer ${chart.choice}, expert ${value[1]}, up to step ${whole.format(binEnds[value[0]])}`,
    }),
  };
  return chart;
}

// What a token cost at each expert, relative to reading an expert for one token.
function costsChart(data) {
  const points = data.costs.filter(point => point.costs.length);
  if (points.length < 2) return null;
  const experts = points[0].costs.length;
  return {
    title: 'Relative cost of each expert', height: 240, note: 'ĉ with a and b as fitted; reading is shared by the tokens of a step. 1: an expert read for one token.',
    describe: `Costs of ${experts} experts at the end: ${points.at(-1).costs.map(number).join(', ')}.`,
    option: (t, width) => ({
      ...base(t), legend: {show: false}, tooltip: {show: false},
      xAxis: stepAxis(t, data, width), yAxis: valueAxis(t, '', {scale: false}),
      series: count(experts).map((name, e) => line('expert ' + name, points.map(point => [point.step, point.costs[e]]), t.main, {lineStyle: {width: 1, color: t.main, opacity: 0.6}})),
    }),
  };
}

function sections(data) {
  const estimated = data.estimated ? 'Estimated: ' : '';
  const share = {more: {max: 1}, format: percent, ticks: value => Math.round(value * 100) + ' %'};
  return {
    learning: [
      data.series.steps.length || data.heldOut.points.length ? lossChart(data) : null,
      linesChart(data, {title: 'Gradient norm', note: 'Of all gradients together, before clipping.', axis: '', series: [['gradientNorm', 'gradient norm']]}),
      linesChart(data, {title: 'Learning rate', note: 'Of each step.', axis: '', series: [['learningRate', 'learning rate']], more: {scale: false}}),
      linesChart(data, {title: 'Learning while in use', note: 'How far the routers’ fast weights moved in a step, all layers together.', axis: '',
        series: [['tttChange', 'distance'], ['tttUpdates', 'updates']]}),
      linesChart(data, {title: 'Auxiliary losses', note: 'As they are added to the loss.', axis: 'nats', series: [['balance', 'balance loss'], ['z', 'router z-loss']]}),
    ],
    routing: [
      linesChart(data, {title: 'Routing diversity', note: 'Experts that are some token’s first choice; entropy of the load.', axis: '', ...share,
        series: [['diversity', 'first choices'], ['entropy', 'entropy of load']]}),
      linesChart(data, {title: 'Busiest expert', note: 'Its load over the mean load, mean over layers.', axis: '',
        series: [['maxOverMean', 'busiest over mean']], format: value => number(value) + ' ×', ticks: value => tick(value) + ' ×', guide: [1, 'even'],
        more: {min: 1, scale: true}}),
      linesChart(data, {title: 'Experts read', note: 'Experts of a layer that got a token of the step, mean over layers.', axis: '',
        series: [['distinctExperts', 'experts read']]}),
      linesChart(data, {title: 'Experts of a token', note: 'Mean over tokens and layers; less than top_k where tokens are sure.', axis: '',
        series: [['expertsPerToken', 'experts of a token']]}),
      data.load ? loadChart(data) : null,
      data.load ? loadOverTimeChart(data) : null,
    ],
    speed: [latencyChart(data), phasesChart(data),
      linesChart(data, {title: estimated + 'Power', note: 'Mean over the meter’s last window.', axis: 'watts', series: [['watts', 'power']]}),
      linesChart(data, {title: estimated + 'Energy of a token', note: 'Power times the time of the step.', axis: 'joules', series: [['joulesPerToken', 'energy']]}),
      costsChart(data)],
  };
}
