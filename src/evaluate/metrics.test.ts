import { describe, expect, test } from 'vitest'
import { classScores, confusionMatrix } from './confusion-matrix.ts'
import { classificationReport, isBetter, metricNamed, metrics } from './metrics.ts'
import { predictions } from './predictions.ts'
import { topKAccuracy } from './probability-scores.ts'
import { classRocAucs, classRocCurve } from './ranking.ts'
import { expectAllNear, expectNear, golden, predictionsOf } from './testing/metric-goldens.ts'

describe.each(golden.cases)(
  '$name',
  ({ classes, probabilities, labels, values, confusion, perClass, rocAucs, topK, curves }) => {
    const made = predictionsOf(probabilities, labels)

    test.each(Object.entries(values))('%s is what scikit-learn says', (name, expected) => {
      expectNear(metricNamed(name).value(made), expected)
    })

    test('float64 probabilities give the same', () => {
      const { size } = made
      const data = Float64Array.from(made.probabilities)
      const wide = predictions({ dtype: 'float64', shape: [size, classes], data }, labels)
      for (const metric of Object.values(metrics)) expect(metric.value(wide)).toBe(metric.value(made))
    })

    test('confusion matrix and scores of each class agree', () => {
      const matrix = confusionMatrix(made)
      expect([...matrix.counts]).toEqual(confusion.flat())
      classScores(matrix).forEach((scores, c) => {
        const expected = perClass[c]!
        expectAllNear(
          [scores.precision, scores.recall, scores.f1, scores.support],
          [expected.precision, expected.recall, expected.f1, expected.support],
        )
      })
    })

    test('the area and corners of the ROC curve of each class agree', () => {
      expectAllNear(classRocAucs(made), rocAucs)
      curves.forEach((expected, c) => {
        const curve = classRocCurve(made, c)
        expectAllNear(curve.falsePositiveRate, expected.falsePositiveRate)
        expectAllNear(curve.truePositiveRate, expected.truePositiveRate)
        expectAllNear(curve.thresholds, expected.thresholds)
      })
    })

    test('top-k accuracy agrees for every k', () => {
      topK.forEach((expected, i) => {
        expectNear(topKAccuracy(made, i + 1), expected)
      })
    })
  },
)

describe('the table of metrics', () => {
  test('gives metrics by name, and refuses an unknown name with those it has', () => {
    expect(metricNamed('accuracy')).toMatchObject({ name: 'accuracy', direction: 'maximize' })
    expect(metricNamed('ece')).toMatchObject({ name: 'ece', direction: 'minimize' })
    expect(() => metricNamed('acuracy')).toThrow(/no metric 'acuracy'; there are accuracy, .*, ece\./)
    expect(() => metricNamed('toString')).toThrow(/no metric/)
  })

  test('is held to scikit-learn in every entry but the top-5 accuracy, which follows from top-k', () => {
    const held = Object.keys(golden.cases[0]!.values)
    expect(Object.keys(metrics).filter(name => !held.includes(name))).toEqual(['top5Accuracy'])
  })

  test('knows which way is better', () => {
    expect([isBetter(metrics.accuracy, 0.9, 0.8), isBetter(metrics.logLoss, 0.9, 0.8)]).toEqual([true, false])
    expect([isBetter(metrics.rocAuc, 0.5, Number.NaN), isBetter(metrics.rocAuc, Number.NaN, 0.5)]).toEqual([
      true,
      false,
    ])
  })
})

test('a classification report holds the numbers of the metrics', () => {
  const { probabilities, labels, confusion } = golden.cases[1]!
  const made = predictionsOf(probabilities, labels)
  const report = classificationReport(made)
  for (const name of ['accuracy', 'macroF1', 'rocAuc', 'logLoss', 'ece'] as const) {
    expect(report[name]).toBe(metrics[name].value(made))
  }
  expect(report.confusion).toEqual(confusion)
  expect(report.classes).toEqual(classScores(confusionMatrix(made)))
})

test('metrics of classes follow the predicted classes where these are given', () => {
  const { probabilities, labels } = golden.cases[1]!
  const plain = predictionsOf(probabilities, labels)
  const data = plain.probabilities as Float32Array
  const voted = predictions({ dtype: 'float32', shape: [50, 3], data }, labels, { predicted: labels })
  expect(metrics.accuracy.value(voted)).toBe(1)
  expect(metrics.rocAuc.value(voted)).toBe(metrics.rocAuc.value(plain))
  expect(metrics.ece.value(voted)).not.toBe(metrics.ece.value(plain))
})
