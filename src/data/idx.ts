import { byteLength, type TypedArray } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { fromNumbers, numbers, reshape, type Tensor, tensor } from '../base/tensor.ts'
import { arrayOver } from './array-over.ts'
import { cast, type Dataset, type DatasetOptions, tensorDataset } from './dataset.ts'

/** Type codes of the IDX format, third byte of the file. */
const types = {
  8: 'uint8',
  9: 'int8',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
} as const

/**
 * Reads an IDX file, the format of MNIST: two zero bytes, a type code, the rank, the dimensions (32 bits each), then the
 * elements, all big-endian (Y. LeCun, C. Cortes and C. Burges, "The MNIST database", file format section).
 * @param name what to call the file in errors.
 * @throws SinterError `invalid-data` where it is not IDX, cut short, or longer than its dimensions say.
 */
export function parseIdx(bytes: Uint8Array, name: string): Tensor {
  const refuse = (reason: string, details: object = {}) =>
    new SinterError('invalid-data', `${name} is not a valid IDX file: ${reason}.`, { file: name, ...details })

  const [zero0, zero1, code = 0, rank = 0] = bytes
  const dtype = types[code as keyof typeof types]
  if (bytes.length < 4) throw refuse(`it has ${bytes.length} bytes, less than a header`)
  if (zero0 !== 0 || zero1 !== 0 || !dtype) {
    const magic = Array.from(bytes.subarray(0, 4), byte => byte.toString(16).padStart(2, '0')).join(' ')
    throw refuse(`it starts with ${magic} instead of 00 00, an element type and the number of dimensions`)
  }
  const header = 4 + 4 * rank
  if (bytes.length < header) throw refuse(`it ends within the ${rank} dimensions of its header`)

  const view = new DataView(bytes.buffer, bytes.byteOffset, header)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const claimed = byteLength(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  )
  const actual = bytes.length - header
  if (claimed !== actual) {
    const kind = claimed > actual ? 'it is cut short, or its header is wrong' : 'something follows its data'
    throw refuse(`${dtype}${formatShape(shape)} takes ${claimed} bytes, but ${actual} follow the header: ${kind}`, {
      shape,
      claimed,
      actual,
    })
  }
  return tensor(dtype, shape, arrayOver(bytes.subarray(header), dtype, 'big') as TypedArray as never)
}

/**
 * Pairs images with labels, as in MNIST's files.
 * @param images [N, H, W] numbers; read as field `image`, float32 [1, H, W] per row, values unchanged.
 * @param labels [N] whole numbers from 0; read as field `label`, int64.
 */
export function imageDataset(images: Tensor, labels: Tensor, { classes }: DatasetOptions = {}): Dataset {
  const [size, height, width] = images.shape
  if (images.shape.length !== 3 || labels.shape.length !== 1) {
    throw new SinterError(
      'invalid-data',
      `Images must be [N,H,W] and labels [N], not ${formatShape(images.shape)} and ${formatShape(labels.shape)}.`,
      { images: images.shape, labels: labels.shape },
    )
  }
  const fields = {
    image: reshape(images, [size!, 1, height!, width!]),
    label: fromNumbers('int64', labels.shape, numbers(labels)),
  }
  checkLabels(fields.label, classes)
  return cast(tensorDataset(fields, { classes }), 'image', 'float32')
}

/** @throws SinterError `invalid-data` naming the first label that no class name stands for. */
function checkLabels({ data }: Tensor<'int64'>, classes: readonly string[] | undefined): void {
  const row = data.findIndex(label => label < 0n || label >= (classes?.length ?? Number.POSITIVE_INFINITY))
  if (row < 0) return
  const known = classes ? `the ${classes.length} classes are numbered from 0` : 'classes are numbered from 0'
  throw new SinterError('invalid-data', `Row ${row} has label ${data[row]}, but ${known}.`, { row })
}
