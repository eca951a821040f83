import { conformBackend } from './testing/conform-backend.ts'
import { onnxruntimeWorkers } from './worker-engine.ts'

conformBackend(onnxruntimeWorkers)
