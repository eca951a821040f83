import { messageOf } from '../../src/base/errors.ts'
import { batch, type Contender, classes, type Missing, type Net, now } from './contender.ts'

/** TensorFlow.js as far as this uses it: the package is not a dependency, so its types are not there. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Tfjs = any

/** TensorFlow.js on the fastest of its backends that trains the network: wasm has no gradients of convolutions. */
export async function tfjs(net: Net, cpu: boolean): Promise<Contender | Missing> {
  const backend = net === 'mlp' ? 'wasm' : 'cpu'
  const name = `TensorFlow.js ${backend}`
  if (net === 'resnet-8') return { name, reason: 'a step on its CPU backend takes many minutes' }
  let tf: Tfjs
  try {
    tf = await load('@tensorflow/tfjs')
    if (backend === 'wasm') await load('@tensorflow/tfjs-backend-wasm')
    await tf.setBackend(backend)
  } catch (error) {
    return { name, reason: `it is not installed (${messageOf(error).split('\n', 1)[0]})` }
  }
  const model = net === 'mlp' ? mlp(tf) : simpleNet(tf)
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'sparseCategoricalCrossentropy' })
  const x = tf.randomUniform([batch, ...model.inputs[0].shape.slice(1)])
  const y = tf.randomUniform([batch], 0, classes, 'int32').toFloat()
  return {
    name,
    async run(steps) {
      const times: number[] = []
      for (let i = 0; i < steps; i++) {
        const start = now(cpu)
        await model.trainOnBatch(x, y)
        times.push(now(cpu) - start)
      }
      return times
    },
    close: async () => tf.dispose([x, y]),
  }
}

/** A package that may not be there: its name in a variable keeps the compiler from looking for it. */
function load(name: string): Promise<Tfjs> {
  return import(name)
}

function mlp({ layers, sequential }: Tfjs) {
  return sequential({
    layers: [
      layers.dense({ units: 512, activation: 'relu', inputShape: [784] }),
      layers.dense({ units: 512, activation: 'relu' }),
      layers.dense({ units: classes, activation: 'softmax' }),
    ],
  })
}

function simpleNet({ layers, sequential }: Tfjs) {
  const conv = (filters: number) => layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' })
  const pool = () => layers.maxPooling2d({ poolSize: 2 })
  return sequential({
    layers: [
      layers.inputLayer({ inputShape: [28, 28, 1] }),
      ...[conv(32), pool(), conv(64), pool()],
      layers.flatten(),
      layers.dense({ units: classes, activation: 'softmax' }),
    ],
  })
}
