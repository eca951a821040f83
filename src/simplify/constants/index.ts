import { shareEqualByName } from '../../rewrite/share-equal.ts'
import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { dropOverridable } from './drop-overridable.ts'
import { foldConstants } from './fold-constants.ts'
import { liftConstants } from './lift-constants.ts'
import { tieVectors } from './tie-constants.ts'

/** What is known before any input is: constants as initializers, each once, and all that follows from them. */
export const constants = (settings: Settings): readonly Step[] => [
  ...(settings.keepOverridable ? [] : [dropOverridable]),
  liftConstants,
  foldConstants(settings),
  tieVectors,
  shareEqualByName,
]
