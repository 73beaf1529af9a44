// Fills the page from its data block, draws the charts, and says in the root element when all is done:
// data-charts="drawn" and the number of problems in data-errors.
(() => {
  const root = document.documentElement;
  const drawn = [];

  function problem(what) {
    root.dataset.errors = String(Number(root.dataset.errors) + 1);
    console.error(what);
  }
  addEventListener('error', event => problem(event.message));
  addEventListener('securitypolicyviolation', event => problem('refused by the policy: ' + event.violatedDirective));

  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId('data').textContent);

  function summary() {
    const ending = data.ending.replaceAll('_', ' ');
    document.title = data.title + ' – run report';
    byId('title').replaceChildren(data.title, element('span', {className: 'badge ' + data.ending, textContent: ending}));
    for (const finding of data.findings) {
      byId('findings').append(element('dt', {textContent: finding.about}), element('dd', {textContent: finding.text}));
    }
    for (const figure of data.figures) {
      byId('figures').append(element('li', {},
        element('span', {className: 'label', textContent: figure.label}),
        element('span', {className: 'value', textContent: figure.value}),
        element('span', {className: 'note', textContent: figure.note})));
    }
  }

  // Shows what cannot be seen: line ends, a space at an edge, control and direction characters.
  function visible(text) {
    if (text === '') return '(empty)';
    return text.replace(/\r?\n/g, '⏎').replace(/\t/g, '⇥').replace(/^ +| +$/g, spaces => '␣'.repeat(spaces.length))
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, c => 'U+' + c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0'));
  }

  function experts() {
    if (!data.experts.length) {
      byId('experts').remove();
      return;
    }
    for (const layer of data.experts) {
      const rows = layer.experts.map(expert => element('tr', {},
        element('th', {scope: 'row', textContent: expert.expert}),
        element('td', {className: 'number', textContent: percent(expert.share)}),
        element('td', {}, ...expert.tokens.map(token => element('span', {className: 'pair'},
          element('span', {className: 'token', textContent: visible(token.text), title: `${whole.format(token.count)} times`}),
          element('small', {textContent: number(token.lift) + ' ×'}))))));
      const header = element('tr', {}, element('th', {scope: 'col', textContent: 'Expert'}),
        element('th', {scope: 'col', textContent: 'Share'}), element('th', {scope: 'col', textContent: 'Characteristic tokens'}));
      byId('expert-tables').append(element('details', {open: layer === data.experts[0]},
        element('summary', {textContent: 'Layer ' + layer.layer}),
        element('div', {className: 'scroll'},
          element('table', {}, element('thead', {}, header), element('tbody', {}, ...rows)))));
    }
  }

  function facts() {
    for (const group of data.facts) {
      const list = element('dl');
      for (const fact of group.facts) {
        list.append(element('dt', {textContent: fact.label}), element('dd', {textContent: fact.value}));
      }
      byId('facts').append(element('div', {}, element('h3', {textContent: group.title}), list));
    }
    for (const note of data.notes) byId('notes').append(element('li', {textContent: note}));
    byId('toml').textContent = data.pipeline;
    byId('copy').addEventListener('click', copy);
  }

  async function copy() {
    let done = true;
    try {
      await navigator.clipboard.writeText(data.pipeline);
    } catch {
      getSelection().selectAllChildren(byId('toml'));
      done = document.execCommand('copy');
    }
    byId('copied').textContent = done ? 'Copied' : 'Selected: copy it by the keyboard';
  }

  function figure(section, chart) {
    const box = element('div', {className: 'chart', role: 'img', 'aria-label': `${chart.title}. ${chart.describe}`});
    box.style.height = chart.height + 'px';
    const save = element('button', {type: 'button', textContent: 'SVG', title: 'Save this chart as a picture', 'aria-label': 'Save as SVG: ' + chart.title});
    const heading = element('div', {className: 'heading'}, element('h3', {textContent: chart.title}));
    if (chart.choices && chart.choices.length > 1) heading.append(choice(chart));
    heading.append(save);
    section.append(element('figure', {className: chart.wide ? 'wide' : ''}, heading,
      element('figcaption', {className: 'note', textContent: chart.note}), box));
    save.addEventListener('click', () => {
      const name = chart.title.toLowerCase().replaceAll(' ', '-') + '.svg';
      element('a', {href: chart.picture.getDataURL({type: 'svg'}), download: name}).click();
    });
    chart.box = box;
  }

  function choice(chart) {
    const select = element('select', {'aria-label': 'Layer of: ' + chart.title});
    chart.choices.forEach((label, value) => select.append(element('option', {value, textContent: label})));
    select.addEventListener('change', () => {
      chart.choice = Number(select.value);
      render(chart);
    });
    return select;
  }

  function render(chart) {
    chart.picture.resize();
    chart.picture.setOption(chart.option(theme(), chart.box.clientWidth), {notMerge: true});
  }

  function draw(chart, done) {
    try {
      chart.picture = echarts.init(chart.box, null, {renderer: 'svg'});
      chart.picture.on('finished', done);
      render(chart);
      drawn.push(chart);
    } catch (failure) {
      problem(`${chart.title}: ${failure}`);
      chart.box.replaceChildren(element('p', {className: 'failed-chart', textContent: 'This chart could not be drawn.'}));
      done();
    }
  }

  function charts() {
    const all = [];
    for (const [id, list] of Object.entries(sections(data))) {
      const present = list.filter(chart => chart);
      if (!present.length) byId(id).remove();
      const box = byId(id)?.querySelector('.charts');
      if (present.filter(chart => !chart.wide).length === 3) box.classList.add('thirds');
      for (const chart of present) figure(box, chart);
      all.push(...present);
    }
    const waiting = new Set(all);
    const finish = chart => {
      waiting.delete(chart);
      if (!waiting.size) root.dataset.charts = 'drawn';
    };
    if (!all.length) root.dataset.charts = 'drawn';
    for (const chart of all) draw(chart, () => finish(chart));
    byId('library').textContent = 'Apache ECharts ' + echarts.version;
  }

  function redraw() {
    drawn.forEach(render);
  }

  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width) requestAnimationFrame(redraw);
    width = innerWidth;
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  addEventListener('beforeprint', () => {
    root.classList.add('print');
    document.querySelectorAll('details').forEach(details => { details.open = true; });
    redraw();
  });
  addEventListener('afterprint', () => {
    root.classList.remove('print');
    redraw();
  });

  summary();
  experts();
  facts();
  charts();
})();
