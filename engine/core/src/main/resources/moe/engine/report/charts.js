// Each chart is {title, note, describe, height, wide, option(theme, width)}.

// The mean over a window around each point, a thirtieth of the run wide, narrower at both ends so that
// the line neither lags nor stops short.
function smooth(values) {
  const reach = Math.round(values.length / 60);
  return values.map((value, i) => {
    const half = Math.min(reach, i, values.length - 1 - i);
    const around = finite(values.slice(i - half, i + half + 1));
    return value === null ? null : around.reduce((sum, each) => sum + each, 0) / around.length;
  });
}

function finite(values) {
  return values.filter(value => value !== null);
}

function lossChart(data) {
  const {steps, columns, stride} = data.series;
  const loss = columns.loss || [];
  const held = data.heldOut.points.map(([step, perplexity]) => [step, Math.log(perplexity)]);
  const lines = [['uniform', data.heldOut.uniform], ['unigram', data.heldOut.unigram]].filter(([, value]) => value);
  const all = [...finite(columns.lossLow || loss), ...finite(columns.lossHigh || loss),
    ...held.map(point => point[1]), ...lines.map(([, value]) => Math.log(value))];
  const least = Math.floor(Math.min(...all));
  const most = Math.ceil(Math.max(...all) + 0.1);
  const smoothed = smooth(loss);
  const last = finite(smoothed).at(-1);
  const lastHeld = data.heldOut.points.at(-1);
  const labels = {formatter: tick, showMinLabel: false, showMaxLabel: false}; // the ends are no round numbers
  const describe = [
    last === undefined ? '' : `The training loss ends at ${number(last)} nats per token.`,
    lastHeld ? `The held-out perplexity ends at ${number(lastHeld[1])}.` : '',
  ].join(' ').trim();
  return {
    title: 'Loss and held-out perplexity', wide: true, height: 340, describe,
    note: 'One curve, two scales: perplexity is e to the loss. '
      + (stride > 1 ? `A point is the mean over ${stride} steps; the band spans their extremes.` : 'Thin: each batch. Bold: smoothed.'),
    option: (t, width) => ({
      ...base(t),
      grid: {left: 4, right: 16, top: 56, bottom: 26, containLabel: true},
      legend: {...base(t).legend, left: 0, right: 'auto', data: ['training', 'held-out'].slice(loss.length ? 0 : 1, held.length ? 2 : 1)},
      tooltip: {...base(t).tooltip, trigger: 'axis', formatter: hits => lossTip(hits)},
      xAxis: stepAxis(t, data, width),
      yAxis: [
        valueAxis(t, 'loss, nats per token', {min: least, max: most, minInterval: 1, axisLabel: {...labels, color: t.soft}}),
        valueAxis(t, 'perplexity', {
          type: 'log', min: Math.exp(least), max: Math.exp(most), splitLine: {show: false}, axisLabel: {...labels, color: t.soft},
          nameTextStyle: {color: t.soft, align: 'right', padding: [0, -4, 2, 0]},
        }),
      ],
      series: [
        ...(stride > 1 ? band(steps, columns.lossLow, columns.lossHigh, t.faint) : []),
        ...(stride > 1 ? [] : [line('batch', pairs(steps, loss), t.faint, {lineStyle: {width: 1, color: t.faint}, silent: true})]),
        line('training', pairs(steps, smoothed), t.main),
        line('held-out', held, t.second, {showSymbol: true, symbol: 'circle', symbolSize: held.length > 60 ? 3 : 6}),
        {
          name: 'guides', type: 'line', data: [], silent: true,
          markLine: {
            symbol: 'none', lineStyle: {color: t.soft, type: [4, 4], width: 1},
            data: lines.map(([name, value]) => ({
              yAxis: Math.log(value),
              label: {formatter: `${name} ${number(value)}`, position: 'insideEndTop', color: t.soft, fontSize: 12},
            })),
          },
        },
        // The second scale is drawn only for an axis that a series uses.
        {name: 'scale', type: 'line', yAxisIndex: 1, data: [[1, null]], silent: true},
      ],
    }),
  };
}

// The area between the least and the greatest loss of each point.
function band(steps, low, high, colour) {
  const known = steps.map((step, i) => [step, low[i], high[i]]).filter(point => point[1] !== null && point[2] !== null);
  return [{
    name: 'band', type: 'custom', silent: true, data: [0],
    renderItem: (_, api) => ({
      type: 'polygon', style: {fill: colour, opacity: 0.45},
      shape: {points: [...known.map(([x, , top]) => api.coord([x, top])), ...known.toReversed().map(([x, bottom]) => api.coord([x, bottom]))]},
    }),
  }];
}

function lossTip(hits) {
  const shown = hits.filter(hit => ['training', 'held-out', 'batch'].includes(hit.seriesName) && hit.value[1] !== null);
  if (!shown.length) return '';
  const rows = shown.map(hit => [hit.seriesName === 'training' ? 'smoothed' : hit.seriesName, `${number(hit.value[1])}  (${number(Math.exp(hit.value[1]))})`]);
  return tip(`Step ${whole.format(shown[0].value[0])}: loss (perplexity)`, rows);
}

// One or several lines over steps.
function linesChart(data, {title, note, axis, series, height = 220, more = {}, format = number, ticks = tick, guide}) {
  const {steps, columns} = data.series;
  const shown = series.filter(([column]) => columns[column]);
  if (!shown.length) return null;
  const ends = shown.map(([column, name]) => `${name} ends at ${format(finite(columns[column]).at(-1) ?? NaN)}`);
  return {
    title, note, height, describe: ends.join('; ') + '.',
    option: (t, width) => ({
      ...base(t),
      grid: {...base(t).grid, top: axis || shown.length > 1 ? 34 : 12},
      legend: shown.length > 1 ? base(t).legend : {show: false},
      tooltip: {
        ...base(t).tooltip, trigger: 'axis',
        formatter: hits => tip('Step ' + whole.format(hits[0].value[0]),
          hits.filter(hit => hit.value[1] !== null).map(hit => [hit.seriesName, format(hit.value[1])])),
      },
      xAxis: stepAxis(t, data, width),
      yAxis: valueAxis(t, axis, {axisLabel: {color: t.soft, formatter: ticks}, ...more}),
      series: shown.map(([column, name], i) => line(name, pairs(steps, columns[column]), [t.main, t.second, t.third][i], {
        lineStyle: {width: 1.5, color: [t.main, t.second, t.third][i]},
        markLine: i === 0 && guide ? {
          symbol: 'none', silent: true, lineStyle: {color: t.soft, type: [4, 4], width: 1},
          data: [{yAxis: guide[0]}], label: {formatter: guide[1], position: 'insideEndTop', color: t.soft},
        } : undefined,
      })),
    }),
  };
}

function latencyChart(data) {
  if (!data.latency) return null;
  const {histogram, percentiles, steps} = data.latency;
  const {from, width, counts, slowest} = histogram;
  const points = counts.map((count, i) => [from + (i + 0.5) * width, count]);
  const end = from + counts.length * width;
  return {
    title: 'Step time', height: 240,
    note: `Steps by how long they took; the slowest took ${millis(slowest)}.`,
    describe: `Half of the steps took at most ${millis(percentiles[0])}, 95 % at most ${millis(percentiles[1])}, 99 % at most ${millis(percentiles[2])}.`,
    option: (t, width) => ({
      ...base(t),
      legend: {show: false},
      tooltip: {
        ...base(t).tooltip, trigger: 'axis', axisPointer: {type: 'none'},
        formatter: ([hit]) => {
          const low = from + hit.dataIndex * width;
          const open = hit.dataIndex === counts.length - 1 && slowest > low + width;
          return tip(open ? `${millis(low)} and more` : `${millis(low)} to ${millis(low + width)}`,
            [['steps', whole.format(hit.value[1])], ['share', percent(hit.value[1] / steps)]]);
        },
      },
      xAxis: {
        ...stepAxis(t, data, width), min: from, max: end, name: 'step time', minInterval: 0,
        axisLabel: {color: t.soft, hideOverlap: true, showMinLabel: false, showMaxLabel: false, formatter: v => from >= 1000 ? tick(v / 1000) + ' s' : tick(v) + ' ms'},
      },
      yAxis: valueAxis(t, 'steps', {scale: false, minInterval: 1, axisLabel: {color: t.soft, formatter: v => whole.format(v)}}),
      series: [{
        type: 'bar', data: points, barWidth: '88%', itemStyle: {color: t.main, opacity: 0.75}, emphasis: {disabled: true},
        markLine: {
          symbol: 'none', silent: true, lineStyle: {color: t.soft, type: [4, 4], width: 1},
          data: [['median', percentiles[0], 'right'], ['95 %', percentiles[1], 'left']].map(([name, value, align]) => ({
            xAxis: value, label: {formatter: name, position: 'end', color: t.soft, distance: 4, align},
          })),
        },
      }],
    }),
  };
}

function phasesChart(data) {
  if (!data.phases.length) return null;
  const phases = [...data.phases].reverse();
  return {
    title: 'Time by stage', height: Math.max(160, 26 * phases.length + 20), note: 'Mean over steps, forward and backward together.',
    describe: data.phases.map(phase => `${phase.label} ${percent(phase.share)}`).join(', ') + '.',
    option: t => ({
      ...base(t),
      grid: {left: 12, right: 104, top: 6, bottom: 6, containLabel: true},
      legend: {show: false},
      tooltip: {show: false},
      xAxis: {type: 'value', show: false},
      yAxis: {
        type: 'category', data: phases.map(phase => phase.label), axisLine: {show: false}, axisTick: {show: false},
        axisLabel: {color: t.ink, fontSize: 12},
      },
      series: [{
        type: 'bar', barWidth: 14, emphasis: {disabled: true},
        data: phases.map(phase => ({
          value: phase.millis, itemStyle: {color: phase.label === 'everything else' ? t.soft : t.main, opacity: 0.75, borderRadius: 2},
        })),
        label: {
          show: true, position: 'right', color: t.soft, opacity: 1,
          formatter: hit => `${percent(phases[hit.dataIndex].share)}   ${millis(phases[hit.dataIndex].millis)}`,
        },
      }],
    }),
  };
}
