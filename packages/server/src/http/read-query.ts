import { type Endpoint, readInput } from '@gantry/api'
import { UserError } from '../kernel/errors.ts'
import { RequestProblems } from './reply-error.ts'

/** The query, each parameter known and at most once. Throws all of its problems together. */
export function readQuery(url: string, endpoint: Endpoint): unknown {
  const mark = url.indexOf('?')
  const given: Record<string, string> = Object.create(null)
  for (const [name, value] of pairsOf(mark < 0 ? '' : url.slice(mark + 1))) {
    const target = { type: 'parameter', name: name.slice(0, 1024) || '(empty)' } as const
    if (name in given)
      throw new UserError('invalid_parameter', `The parameter \`${target.name}\` stands there twice.`, { target })
    if (value.includes('\u0000'))
      throw new UserError('invalid_parameter', `\`${target.name}\` has a NUL character.`, { target })
    given[name] = value
  }
  if (endpoint.query) {
    const input = readInput(endpoint.query, { ...given }, 'parameter')
    if (input.ok) return input.value
    throw new RequestProblems(input.problems)
  }
  const [first, ...rest] = Object.keys(given).map((name) => unknownParameter(name))
  if (first) throw new RequestProblems([first, ...rest])
  return {}
}

function pairsOf(query: string): (readonly [string, string])[] {
  if (query === '') return []
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return [decode(name), decode(value)] as const
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new UserError('invalid_request', 'The query is not URL-encoded UTF-8.')
  }
}

function unknownParameter(name: string) {
  const target = { type: 'parameter', name: name.slice(0, 1024) || '(empty)' } as const
  return { code: 'unknown_parameter', message: `There is no parameter \`${target.name}\` here.`, target } as const
}

/** The parameters of the path. */
export function readParams(given: unknown, endpoint: Endpoint): unknown {
  if (!endpoint.params) return {}
  const input = readInput(endpoint.params, { ...(given as object) }, 'parameter')
  if (input.ok) return input.value
  throw new RequestProblems(input.problems)
}
