import type { Endpoint } from '@gantry/api'
import { UserError } from '../kernel/errors.ts'

interface Range {
  readonly type: string
  readonly quality: number
}

/** Throws `not_acceptable` when the `Accept` header allows no media type that the endpoint can answer in. */
export function checkAccept(accept: string | undefined, endpoint: Endpoint): void {
  const type = 'mediaType' in endpoint.reply ? endpoint.reply.mediaType : undefined
  if (accept === undefined || type === undefined || qualityOf(accept, type) > 0) return
  throw new UserError('not_acceptable', `This operation answers ${type}, which the header Accept does not allow.`, {
    target: { type: 'header', name: 'Accept' },
  })
}

/** `application/json` unless the caller names `application/problem+json`, and does not want the former more. */
export function errorMediaType(accept: string | undefined): 'application/json' | 'application/problem+json' {
  const isNamed = rangesOf(accept ?? '').some(({ type, quality }) => type === problemType && quality > 0)
  if (accept === undefined || !isNamed) return 'application/json'
  return qualityOf(accept, problemType) >= qualityOf(accept, 'application/json') ? problemType : 'application/json'
}

const problemType = 'application/problem+json'

/** Whether a document rather than JSON is wanted: a browser names `text/html`. */
export function prefersHtml(accept: string | undefined): boolean {
  return rangesOf(accept ?? '').some(({ type, quality }) => type === 'text/html' && quality > 0)
}

/** RFC 9110 §12.5.1: the most specific range counts. */
function qualityOf(accept: string, type: string): number {
  const ranges = rangesOf(accept)
  for (const candidate of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((each) => each.type === candidate)
    if (range) return range.quality
  }
  return 0
}

function rangesOf(accept: string): Range[] {
  return accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    const quality = weight === undefined ? 1 : Number(weight)
    return { type, quality: Number.isNaN(quality) ? 0 : quality }
  })
}
