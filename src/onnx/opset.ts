import type { OperatorSetIdProto } from './generated/onnx_pb.ts'

/** A domain as graphs have it: the standard's own goes by two names in files. */
export function domainOf(name: string): string {
  return name === 'ai.onnx' ? '' : name
}

/** Versions by domain; of a domain that stands twice, the highest, as the standard says. */
export function opsetOf(imports: readonly OperatorSetIdProto[]): Record<string, number> {
  const versions = new Map<string, number>()
  for (const { domain, version } of imports) {
    const key = domainOf(domain)
    versions.set(key, Math.max(versions.get(key) ?? 0, Number(version)))
  }
  return Object.fromEntries(versions)
}
