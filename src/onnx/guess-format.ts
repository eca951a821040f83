interface Format {
  readonly name: string
  readonly advice: string
}

const convert = 'Convert it to ONNX first.'
const download = 'Download the model itself: the address led to a page or a message.'

/** How files begin that are often taken for models. */
const beginnings: readonly (readonly [text: string, name: string, advice: string, offset?: number])[] = [
  ['version https://git-lfs', 'a Git LFS pointer', 'Fetch the file that it stands for with `git lfs pull`.'],
  ['<', 'an HTML or XML page', download],
  ['{', 'JSON', download],
  ['\x89PNG', 'a PNG image', 'Give the path of a model.'],
  ['\xff\xd8\xff', 'a JPEG image', 'Give the path of a model.'],
  ['%PDF', 'a PDF', 'Give the path of a model.'],
  ['PK\x03\x04', 'a zip archive or a PyTorch checkpoint', 'Unpack it, or export the model to ONNX.'],
  ['\x1f\x8b', 'a gzip archive', 'Unpack it.'],
  ['\x80\x02', 'a Python pickle', convert],
  ['\x89HDF', 'a Keras or HDF5 file', convert],
  ['GGUF', 'a GGUF model', convert],
  ['TFL3', 'a TensorFlow Lite model', convert, 4],
  ['ORTM', 'an onnxruntime model in ORT format', 'Give the ONNX model that it was made from.', 4],
]

/** What a file seems to be instead of an ONNX model; undefined if that is not clear. */
export function guessFormat(bytes: Uint8Array): Format | undefined {
  if (bytes.length === 0) return { name: 'an empty file', advice: 'Download or export it again.' }
  const found = beginnings.find(([text, , , offset = 0]) =>
    [...text].every((character, i) => bytes[offset + i] === character.charCodeAt(0)),
  )
  if (found) return { name: found[1], advice: found[2] }
  const isText = bytes
    .subarray(0, 64)
    .every(byte => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
  return isText ? { name: 'a text file', advice: 'Give the path of a model.' } : undefined
}
