export { type DecodeOptions, decode } from './decode.ts'
export { type EncodeOptions, encode } from './encode.ts'
export { readModel, type WriteOptions, writeModel } from './files.ts'
export { decodeSafetensors, encodeSafetensors } from './safetensors.ts'
