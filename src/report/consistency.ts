/** The parts of a run record that refer to each other. */
interface CrossReferences {
  readonly data: { readonly classes: readonly string[] }
  readonly models: readonly { readonly name: string; readonly members: readonly string[] }[]
  readonly compact: { readonly from: string; readonly model: string } | null
  readonly choice: {
    readonly name: string
    readonly members: readonly string[]
    readonly weights: readonly number[] | null
    readonly mcnemar: { readonly against: string } | null
  } | null
  readonly evaluation: readonly {
    readonly model: string
    readonly confusion: readonly (readonly number[])[]
    readonly classes: readonly unknown[]
    readonly roc: readonly unknown[]
  }[]
}

interface Issues {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void
}

/** Reports names that refer to no model, and tables whose size is not the number of classes. */
export function checkConsistency(record: CrossReferences, issues: Issues): void {
  const refuse = (path: PropertyKey[], message: string) => issues.addIssue({ code: 'custom', message, path })
  const known = new Set<string>()
  for (const [i, { name }] of record.models.entries()) {
    if (known.has(name)) refuse(['models', i, 'name'], `a second model named "${name}"`)
    known.add(name)
  }
  const mustExist = (name: string, ...path: PropertyKey[]) => {
    if (!known.has(name)) refuse(path, `no model is named "${name}"`)
  }

  for (const [i, model] of record.models.entries()) {
    for (const [j, member] of model.members.entries()) mustExist(member, 'models', i, 'members', j)
  }

  const { choice, compact } = record
  if (compact) {
    mustExist(compact.from, 'compact', 'from')
    mustExist(compact.model, 'compact', 'model')
  }
  if (choice) {
    mustExist(choice.name, 'choice', 'name')
    for (const [i, member] of choice.members.entries()) mustExist(member, 'choice', 'members', i)
    if (choice.mcnemar) mustExist(choice.mcnemar.against, 'choice', 'mcnemar', 'against')
    if (choice.weights && choice.weights.length !== choice.members.length) {
      refuse(['choice', 'weights'], `expected ${choice.members.length} weights, one per member`)
    }
  }

  const classes = record.data.classes.length
  for (const [i, { model, ...parts }] of record.evaluation.entries()) {
    mustExist(model, 'evaluation', i, 'model')
    for (const [key, part] of Object.entries(parts)) {
      if (part.length !== classes) refuse(['evaluation', i, key], `expected ${classes} entries, one per class`)
    }
    for (const [row, cells] of parts.confusion.entries()) {
      if (cells.length !== classes) refuse(['evaluation', i, 'confusion', row], `expected ${classes} columns`)
    }
  }
}
