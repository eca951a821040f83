import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type * as Engine from 'onnxruntime-node'
import type { Backend } from './backend.ts'
import { onnxruntimeBackend } from './onnxruntime-node.ts'

/**
 * Like `onnxruntimeNode`, but each session has a thread of its own. The binding computes on the thread that calls it, so
 * only sessions on different threads run at the same time. Feeds are copied to the thread; results are handed over.
 */
export const onnxruntimeWorkers: Backend = { ...onnxruntimeBackend(workerEngine), name: 'onnxruntime-node in workers' }

/** A value as it travels: the binding's tensors are class instances, which messages do not carry. */
interface Plain {
  readonly type: string
  readonly data: unknown
  readonly dims: readonly number[]
}

type Request =
  | { readonly kind: 'create'; readonly bytes: Uint8Array; readonly options: unknown }
  | { readonly kind: 'run'; readonly feeds: Readonly<Record<string, Plain>>; readonly fetch: readonly string[] }
  | { readonly kind: 'release'; readonly profiling: boolean }

interface Created {
  readonly inputMetadata: Engine.InferenceSession['inputMetadata']
  readonly outputMetadata: Engine.InferenceSession['outputMetadata']
}

/** The part of onnxruntime-node's interface that our backend uses, with each session in a worker. */
async function workerEngine(): Promise<typeof Engine> {
  const path = createRequire(import.meta.url).resolve('onnxruntime-node')
  const { Tensor } = await import('onnxruntime-node')
  const create = async (bytes: Uint8Array, options: unknown) => {
    const worker = new Worker(source, { eval: true, workerData: { path } })
    const ask = caller(worker)
    let profiling = false
    try {
      const { inputMetadata, outputMetadata } = await ask<Created>({ kind: 'create', bytes, options })
      return {
        inputMetadata,
        outputMetadata,
        run: (feeds: Record<string, Plain>, fetch: readonly string[]) => {
          const plain = Object.entries(feeds).map(
            ([name, { type, data, dims }]) => [name, { type, data: compact(data), dims }] as const,
          )
          return ask<Record<string, Plain>>({ kind: 'run', feeds: Object.fromEntries(plain), fetch })
        },
        endProfiling: () => {
          profiling = true
        },
        release: async () => {
          await ask({ kind: 'release', profiling })
          await worker.terminate()
        },
      }
    } catch (error) {
      await worker.terminate()
      throw error
    }
  }
  return { InferenceSession: { create }, Tensor } as unknown as typeof Engine
}

/** A message with a view carries all of the memory that it is a view on: copy out what is a part. */
function compact(data: unknown): unknown {
  if (!ArrayBuffer.isView(data) || data.byteLength === data.buffer.byteLength) return data
  return (data as Float32Array).slice()
}

/** Sends requests to a worker and matches its replies to them: it answers in order. */
function caller(worker: Worker): <T>(request: Request) => Promise<T> {
  const waiting: { resolve: (value: never) => void; reject: (error: unknown) => void }[] = []
  worker.on('message', ({ error, value }: { error?: string; value?: never }) => {
    const call = waiting.shift()
    if (error === undefined) call?.resolve(value as never)
    else call?.reject(new Error(error))
  })
  const fail = (error: unknown) => {
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  worker.on('error', fail)
  worker.on('exit', code => fail(new Error(`The worker ended with code ${code}.`)))
  return request =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      worker.postMessage(request)
    })
}

/** What runs in the worker. It is handed over as text, so it may use nothing from around it. */
function serve(require: NodeJS.Require): void {
  const { parentPort, workerData } = require('node:worker_threads') as typeof import('node:worker_threads')
  const engine = require((workerData as { path: string }).path) as typeof Engine
  let session: Engine.InferenceSession
  const answer = async (request: Request): Promise<{ value: unknown; moved: ArrayBuffer[] }> => {
    const moved: ArrayBuffer[] = []
    if (request.kind === 'create') {
      session = await engine.InferenceSession.create(
        request.bytes,
        request.options as Engine.InferenceSession.SessionOptions,
      )
      return { value: { inputMetadata: session.inputMetadata, outputMetadata: session.outputMetadata }, moved }
    }
    if (request.kind === 'release') {
      if (request.profiling) session.endProfiling()
      await session.release()
      return { value: undefined, moved }
    }
    const feeds: Record<string, Engine.Tensor> = {}
    for (const [name, { type, data, dims }] of Object.entries(request.feeds)) {
      feeds[name] = new engine.Tensor(type as 'float32', data as Float32Array, dims)
    }
    const made = await session.run(feeds, request.fetch as string[])
    const value: Record<string, Plain> = {}
    for (const [name, { type, data, dims }] of Object.entries(made)) {
      value[name] = { type, data, dims }
      if (!Array.isArray(data)) moved.push((data as Float32Array).buffer as ArrayBuffer)
    }
    return { value, moved }
  }
  // One request after the other, so that the replies keep the order of the requests.
  let last: Promise<void> = Promise.resolve()
  parentPort!.on('message', (request: Request) => {
    last = last.then(async () => {
      try {
        const { value, moved } = await answer(request)
        parentPort!.postMessage({ value }, moved)
      } catch (error) {
        parentPort!.postMessage({ error: error instanceof Error ? error.message : String(error) })
      }
    })
  })
}

const source = `(${serve})(require)`
