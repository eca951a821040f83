import { parseHTML } from 'linkedom'
import { expect, test } from 'vitest'
import { interruptedRunFixture, planMembers, runFixture } from '../../test/fixtures/run-record.ts'
import { renderReport } from './html.ts'
import { type RunRecord, runRecord } from './run-record.ts'

const species = (i: number) =>
  `${['snake plant', 'maple', 'oak tree (red)', 'birch of the northern woods'][i % 4]} ${i}`

const runs: Readonly<Record<string, RunRecord>> = {
  'the digits job': runFixture(),
  'an interrupted run': interruptedRunFixture(),
  'a run that finished nothing': { ...interruptedRunFixture(), models: [] },
  'two models and two classes': runFixture({
    members: planMembers(2),
    ensembles: [],
    classes: ['benign', 'malignant'],
  }),
  'twelve models and thirty classes': runFixture({
    members: planMembers(12, i => `convolutional-network-variant-${i}`),
    classes: Array.from({ length: 30 }, (_, i) => species(i)),
  }),
  'one epoch each': withHistory(runFixture(), 1),
  'a perfect model': perfect(runFixture()),
}

const pages = Object.entries(runs).map(([name, run]) => [name, renderReport(run)] as const)

test.each(pages)('%s: the page is well-formed, self-contained and small', (_, page) => {
  expect(misnested(page)).toEqual([])
  expect(page.length).toBeLessThan(400_000)
  expect(page).not.toMatch(/https?:|\/\/[a-z]|url\(|@import|<script|<link|<img|<iframe|\bsrc=|\bon[a-z]+=/i)
  expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/)
})

test.each(pages)('%s: references inside of the page hold', (_, page) => {
  const { document } = parseHTML(page)
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const element of document.querySelectorAll('[aria-labelledby]')) {
    for (const id of element.getAttribute('aria-labelledby')!.split(' ')) expect(ids).toContain(id)
  }
  for (const link of document.querySelectorAll('a')) expect(ids).toContain(link.getAttribute('href')!.slice(1))
})

test('drawings have a title and a description, or are hidden where a number beside them says the same', () => {
  const { document } = parseHTML(renderReport(runFixture()))
  const drawings = [...document.querySelectorAll('svg')]
  for (const svg of drawings) {
    if (svg.getAttribute('aria-hidden') === 'true') continue
    expect(svg.getAttribute('role')).toBe('img')
    expect(svg.querySelector('title')!.textContent).not.toBe('')
    expect(svg.querySelector('desc')!.textContent).not.toBe('')
  }
  const described = drawings.filter(svg => svg.getAttribute('role') === 'img')
  expect(described.map(svg => svg.querySelector('title')!.textContent)).toEqual(
    [
      'Accuracy on test against multiply-accumulate operations',
      'Loss by epoch',
      'Validation accuracy by epoch',
      'Confusion matrix of weighted-average',
      'ROC curves, false-positive rate on a logarithmic scale',
      'ROC curves, whole',
    ].flatMap(title => [title, title]),
  )
})

test('every table has headings of rows and columns', () => {
  const { document } = parseHTML(renderReport(runFixture()))
  const tables = [...document.querySelectorAll('table')]
  expect(tables).toHaveLength(5)
  for (const table of tables) {
    for (const header of table.querySelectorAll('thead th')) expect(header.getAttribute('scope')).toBe('col')
    for (const row of table.querySelectorAll('tbody tr')) {
      expect(row.querySelectorAll('th[scope="row"]')).toHaveLength(1)
      expect(row.children).toHaveLength(table.querySelectorAll('thead th').length)
    }
  }
})

test('the head says what was chosen, what it gains and costs, and whether that is significant', () => {
  const head = textOf(renderReport(runFixture()), 'body > header')
  expect(head).toContain('99.56 % of test images right with weighted-average of three models')
  expect(head).toContain('Highest mean accuracy over 5 folds')
  expect(head).toContain('+0.09 points against resnet-8')
  expect(head).toContain('2.3× the MACs')
  expect(head).toContain('p = 0.11')
  expect(head).toContain('can be chance')
  expect(head).toContain('41.0 % of the MACs')
})

test('a single model that was chosen is not compared with itself', () => {
  const head = textOf(renderReport(runs['two models and two classes']!), 'body > header')
  expect(head).toContain('right with member-2 alone')
  expect(head).not.toContain('McNemar')
  expect(head).not.toContain('points against')
})

test('a run of one member, which has nothing to choose, tells of that member', () => {
  const run = runFixture({ members: planMembers(1), ensembles: [] })
  const { document } = parseHTML(renderReport({ ...run, choice: null, selection: null }))
  const [only] = run.models
  expect(document.querySelector('h1')!.textContent).toMatch(new RegExp(` % of test images right with ${only!.name}$`))
})

test('an interrupted run says so, and shows the sections it has data for', () => {
  const page = renderReport(interruptedRunFixture())
  const { document } = parseHTML(page)
  expect(textOf(page, '.banner')).toContain('Interrupted after 1 min 18 s; 2 models finished.')
  expect([...document.querySelectorAll('section')].map(section => section.id)).toEqual([
    'results',
    'learning',
    'reproduce',
  ])
})

test('one report is the same bytes every time', () => {
  expect(renderReport(runFixture())).toBe(renderReport(runFixture()))
})

test('hostile names stay text', () => {
  const hostile = '<img src=x onerror=alert(1)>"\'&</title></style></svg><script>alert(2)</script>\u0000\ud800'
  const poison = <T>(value: T): T => {
    if (typeof value === 'string') return `${hostile}${value}` as T
    if (Array.isArray(value)) return value.map(poison) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, poison(part)])) as T
  }
  const run = runFixture()
  const poisoned = poison(run)
  const keep = { status: run.status, started: run.started, finished: run.finished }
  const record = runRecord.parse({
    ...poisoned,
    ...keep,
    models: poisoned.models.map((model, i) => ({
      ...model,
      kind: run.models[i]!.kind,
      latency: run.models[i]!.latency,
    })),
    compact: {
      ...poisoned.compact,
      steps: poisoned.compact!.steps.map((step, i) => ({
        ...step,
        before: run.compact!.steps[i]!.before,
        after: run.compact!.steps[i]!.after,
      })),
    },
    selection: { ...poisoned.selection, direction: run.selection!.direction },
  })
  const page = renderReport(record)
  expect(misnested(page)).toEqual([])
  const { document } = parseHTML(page)
  expect(document.querySelectorAll('img, script')).toHaveLength(0)
  for (const element of document.querySelectorAll('*')) {
    const attributes = [...element.attributes].map(attribute => attribute.name)
    expect(attributes.filter(name => name.startsWith('on'))).toEqual([])
  }
  expect(page).not.toContain('\u0000')
  expect(textOf(page, '.results')).toContain('<img src=x onerror=alert(1)>"\'&</title></style></svg><script>')
})

test('with thirty classes the matrix shows every cell that counts, and names as many classes as fit', () => {
  const page = renderReport(runs['twelve models and thirty classes']!)
  const { document } = parseHTML(page)
  const [wide, narrow] = document.querySelectorAll('#classes svg[role="img"]')
  const labels = (svg: typeof wide) =>
    [...svg!.querySelectorAll('text')].filter(text => /\d$/.test(text.textContent ?? ''))
  expect(labels(wide).length).toBeGreaterThan(labels(narrow).length)
  expect(labels(narrow).length).toBeGreaterThan(10)
  const counted = runs['twelve models and thirty classes']!.evaluation[0]!.confusion.flat().filter(count => count > 0)
  expect(wide!.querySelectorAll('rect > title')).toHaveLength(counted.length)
})

function textOf(page: string, selector: string): string {
  const { document } = parseHTML(page)
  return document.querySelector(selector)!.textContent!.replace(/\s+/g, ' ').trim()
}

/** Tags that are not closed, or closed out of turn. */
function misnested(page: string): string[] {
  const empty = new Set(['meta', 'br'])
  const open: string[] = []
  const findings: string[] = []
  const body = page.replace(/<style>[^<]*<\/style>/, '').replace(/^<!doctype html>\n/, '')
  for (const [tag, closing, name, attributes] of body.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (closing) {
      if (open.pop() !== name) findings.push(`unexpected ${tag}`)
    } else {
      if (!/^(\s+[\w:-]+="[^"<]*")*\s*\/?$/.test(attributes!)) findings.push(`bad attributes in ${tag}`)
      if (!attributes!.endsWith('/') && !empty.has(name!)) open.push(name!)
    }
  }
  const between = body.replace(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g, '')
  if (between.includes('<')) findings.push('a stray <')
  return [...findings, ...open.map(name => `<${name}> is not closed`)]
}

function withHistory(run: RunRecord, epochs: number): RunRecord {
  return { ...run, models: run.models.map(model => ({ ...model, history: model.history.slice(0, epochs) })) }
}

function perfect(run: RunRecord): RunRecord {
  const best = { accuracy: 1, macroF1: 1, rocAuc: null, logLoss: 0, ece: null }
  const flawless = run.evaluation.map(evaluation => ({
    ...evaluation,
    confusion: evaluation.confusion.map((row, i) => row.map((_, j) => (i === j ? 1_000 : 0))),
    classes: evaluation.classes.map(c => ({ ...c, precision: 1, recall: 1, f1: 1 })),
    roc: evaluation.roc.map(curve => ({
      ...curve,
      auc: 1,
      points: [
        [0, 0],
        [0, 1],
        [1, 1],
      ] as [number, number][],
    })),
  }))
  const models = run.models.map(model => ({
    ...model,
    test: best,
    validation: best,
    history: model.history.map(e => ({ ...e, loss: 0, validation: { accuracy: 1, logLoss: 0 } })),
  }))
  return { ...run, models, evaluation: flawless }
}
