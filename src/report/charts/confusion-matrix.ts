import * as Plot from '@observablehq/plot'
import { percent } from '../format.ts'
import { type Markup, printable } from '../markup.ts'
import type { RunEvaluation } from '../run-record.ts'
import { chart, type PlotOptions } from './chart.ts'
import { fitText, textWidth } from './text.ts'

interface Cell {
  readonly row: number
  readonly column: number
  readonly count: number
  readonly share: number
}

const widestCell = 120

/** With more classes than this, cells have no gaps between them and names are set smaller. */
const manyClasses = 20

/** Errors of this share of a row, or more, are drawn in full colour. */
const strongError = 0.03

/** Labelled classes (rows) against predicted classes (columns): counts, coloured by their share of the row. */
export function confusionMatrix(evaluation: RunEvaluation): Markup {
  const names = evaluation.classes.map(c => printable(c.name))
  const cells = evaluation.confusion.flatMap((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0)
    return counts.map((count, column): Cell => ({ row, column, count, share: total > 0 ? count / total : 0 }))
  })
  const wrong = cells.filter(cell => cell.row !== cell.column && cell.count > 0).sort((a, b) => b.count - a.count)
  const worst = wrong.slice(0, 5).map(c => `${names[c.row]} taken for ${names[c.column]}: ${c.count}`)
  const text = {
    id: 'confusion-matrix',
    title: `Confusion matrix of ${evaluation.model}`,
    description: worst.length > 0 ? `Most frequent confusions: ${worst.join('; ')}.` : 'No test example is confused.',
  }
  return chart(text, { wide: 550, narrow: 344 }, width => plan(names, cells, width))
}

function plan(names: readonly string[], cells: readonly Cell[], width: number): PlotOptions {
  const n = names.length
  const fontSize = n > manyClasses ? 10 : 12
  const inset = n > manyClasses ? 0 : 0.5
  const labelRoom = Math.min(Math.max(...names.map(name => textWidth(name, fontSize))), width * 0.22)
  const marginLeft = Math.ceil(labelRoom) + 14
  const side = Math.min((width - marginLeft - 6) / n, widestCell)
  const marginRight = width - marginLeft - n * side
  const upright = Math.max(...names.map(name => textWidth(name, fontSize))) > side - 4 && labelRoom > 14
  const marginTop = upright ? Math.ceil(labelRoom) + 30 : 44
  const labelSize = upright ? fontSize + 3 : Math.max(labelRoom, fontSize) + 4
  const classes = names.map((_, i) => i)
  const label = (i: number) => fitText(names[i]!, labelRoom, fontSize)
  const tickLabels = { tickSize: 0, tickPadding: 6, label: null, fontSize, fill: 'var(--ink)' } as const

  const most = cells.reduce((max, cell) => Math.max(max, cell.count), 0)
  const room = side - 4
  const countSize = Math.min(12, (12 * room) / textWidth(String(most), 12))
  const filled = cells.filter(cell => cell.count > 0)
  const right = (cell: Cell) => cell.row === cell.column
  // Errors are few: on a square-root scale of their own they show, and the diagonal does not drown them.
  const mostWrong = filled.reduce((max, cell) => (right(cell) ? max : Math.max(max, cell.share)), strongError)
  const strength = (cell: Cell) => (right(cell) ? cell.share ** 2 : 0.12 + 0.88 * Math.sqrt(cell.share / mostWrong))
  return {
    width,
    height: marginTop + n * side + 6,
    marginTop,
    marginLeft,
    marginRight,
    marginBottom: 6,
    padding: 0,
    x: { domain: classes, axis: null, round: false },
    y: { domain: classes, axis: null, round: false },
    opacity: { type: 'identity' },
    marks: [
      Plot.axisX(thinned(classes, side, labelSize), {
        ...tickLabels,
        anchor: 'top',
        tickFormat: label,
        ...(upright ? { tickRotate: -90 } : {}),
      }),
      Plot.axisY(thinned(classes, side, fontSize + 3), { ...tickLabels, anchor: 'left', tickFormat: label }),
      Plot.text(['labelled ↓   predicted →'], {
        frameAnchor: 'top-left',
        lineAnchor: 'top',
        dx: -marginLeft + 2,
        dy: -marginTop,
        fill: 'var(--muted)',
      }),
      n > manyClasses
        ? Plot.frame({ fill: 'var(--sunken)', stroke: 'none' })
        : Plot.cell(cells, { x: 'column', y: 'row', filter: cell => cell.count === 0, fill: 'var(--sunken)', inset }),
      ...[true, false].map(diagonal =>
        Plot.cell(
          filled.filter(cell => right(cell) === diagonal),
          {
            x: 'column',
            y: 'row',
            fill: diagonal ? 'var(--right)' : 'var(--wrong)',
            fillOpacity: strength,
            inset,
            title: ({ row, column, count, share }: Cell) =>
              `${names[row]} taken for ${names[column]}: ${count} (${percent(share)} % of the row)`,
          },
        ),
      ),
      Plot.text(countSize >= 7.5 ? filled : [], {
        x: 'column',
        y: 'row',
        text: 'count',
        fontSize: Math.round(countSize * 10) / 10,
        fill: (cell: Cell) =>
          strength(cell) < 0.7 ? 'var(--ink)' : right(cell) ? 'var(--on-right)' : 'var(--on-wrong)',
      }),
    ],
  }
}

/** Every k-th class, k as small as labels of a size on cells of a side allow. */
function thinned(classes: readonly number[], side: number, labelSize: number): number[] {
  const every = Math.max(1, Math.ceil(labelSize / side))
  return classes.filter(i => i % every === 0)
}
