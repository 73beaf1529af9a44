// Fills the page of a comparison from its data block, draws its charts, and says in the root element
// when all is done: data-charts="drawn" and the number of problems in data-errors.
(() => {
  const root = document.documentElement;
  addEventListener('error', () => { root.dataset.errors = String(Number(root.dataset.errors) + 1); });
  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId('data').textContent);
  const colours = t => [t.main, t.second, t.third, t.hot, t.soft, t.cold];

  function summary() {
    document.title = data.title + ' – comparison';
    byId('title').textContent = data.title;
    for (const arm of data.arms.filter(each => each.sentence)) {
      byId('findings').append(element('dt', {textContent: arm.name}), element('dd', {textContent: arm.sentence}));
    }
    const labels = [...new Set(data.arms.flatMap(arm => Object.keys(arm.figures)))];
    byId('arms').append(
      element('thead', {}, element('tr', {}, element('th', {scope: 'col', textContent: 'arm'}),
        ...labels.map(label => element('th', {scope: 'col', textContent: label})))),
      element('tbody', {}, ...data.arms.map(arm => element('tr', {},
        element('th', {scope: 'row', textContent: arm.name, title: arm.overrides}),
        ...labels.map(label => element('td', {className: 'number', textContent: arm.figures[label] ?? ''}))))));
    for (const note of data.notes) byId('notes').append(element('li', {textContent: note}));
  }

  // One line per arm over its turns.
  function turns(title, unit, values) {
    const arms = data.arms.filter(arm => values(arm).length);
    if (!arms.length) return null;
    const most = Math.max(...arms.map(arm => values(arm).length));
    return {
      title, note: 'All arms over their turns; they took them in turn, A B C A B C.',
      describe: arms.map(arm => `${arm.name}: ${values(arm).map(number).join(', ')}`).join('; '),
      option: t => ({
        ...base(t), legend: {...base(t).legend, type: 'scroll', left: 56, right: 8, pageIconColor: t.soft, pageTextStyle: {color: t.soft}},
        tooltip: {...base(t).tooltip, trigger: 'axis',
          formatter: hits => tip('Turn ' + hits[0].value[0], hits.map(hit => [hit.seriesName, `${number(hit.value[1])} ${unit}`]))},
        xAxis: {type: 'value', min: 1, max: Math.max(2, most), minInterval: 1, name: 'turn', nameLocation: 'middle', nameGap: 26,
          nameTextStyle: {color: t.soft}, axisLine: {lineStyle: {color: t.line}}, axisTick: {show: false}, splitLine: {show: false}, axisLabel: {color: t.soft}},
        yAxis: valueAxis(t, unit, {scale: false}),
        series: arms.map((arm, i) => line(arm.name, values(arm).map((value, turn) => [turn + 1, value]), colours(t)[i % 6],
          {showSymbol: true, symbol: 'circle', symbolSize: 7})),
      }),
    };
  }

  function pareto() {
    if (!data.pareto) return null;
    const {cost, points} = data.pareto;
    return {
      title: 'Quality against cost', note: `Down and to the left is better: perplexity of the held-out text against ${cost}.`,
      describe: points.map(point => `${point.name}: perplexity ${number(point.perplexity)}, ${number(point.cost)} ${cost}`).join('; '),
      option: t => ({
        ...base(t), legend: {show: false},
        tooltip: {...base(t).tooltip, trigger: 'item',
          formatter: hit => tip(hit.name, [['perplexity', number(hit.value[0])], [cost, number(hit.value[1])]])},
        xAxis: {...valueAxis(t, 'perplexity'), nameLocation: 'middle', nameGap: 26},
        yAxis: valueAxis(t, cost),
        series: [{
          type: 'line', lineStyle: {width: 1, color: t.line}, symbol: 'circle', symbolSize: 9, itemStyle: {color: t.main},
          label: {show: true, position: 'top', color: t.soft, formatter: hit => hit.name},
          data: points.map(point => ({name: point.name, value: [point.perplexity, point.cost]})),
        }],
      }),
    };
  }

  function draw(chart, done) {
    const box = element('div', {className: 'chart', role: 'img', 'aria-label': `${chart.title}. ${chart.describe}`});
    box.style.height = '260px';
    byId('charts').append(element('figure', {}, element('div', {className: 'heading'}, element('h3', {textContent: chart.title})),
      element('figcaption', {className: 'note', textContent: chart.note}), box));
    const picture = echarts.init(box, null, {renderer: 'svg'});
    picture.on('finished', done);
    const render = () => { picture.resize(); picture.setOption(chart.option(theme()), {notMerge: true}); };
    addEventListener('resize', render);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', render);
    render();
  }

  summary();
  const charts = [
    turns('Time of a step', 'ms', arm => arm.stepMillis),
    turns('Energy of a token', 'mJ', arm => arm.joulesPerToken.map(joules => 1e3 * joules)),
    pareto(),
  ].filter(chart => chart);
  let waiting = charts.length;
  if (!waiting) root.dataset.charts = 'drawn';
  for (const chart of charts) draw(chart, () => { if (--waiting === 0) root.dataset.charts = 'drawn'; });
  byId('library').textContent = 'Apache ECharts ' + echarts.version;
})();
