import * as encoders from './encoders.ts'
import * as features from './features.ts'
import * as maps from './maps.ts'
import * as models from './models.ts'
import * as trees from './trees.ts'

/** The families of ai.onnx.ml: models and transforms as scikit-learn and its like export them. */
export const machineLearning: readonly object[] = [encoders, features, maps, models, trees]
