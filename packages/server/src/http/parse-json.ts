import { UserError } from '../kernel/errors.ts'

const maxDepth = 32

/**
 * JSON as strictly as the API takes it: UTF-8, every key of an object once, no key `__proto__`, at most 32 levels, no
 * NUL and no lone surrogate in text (neither can be stored). Throws `invalid_json` or `invalid_field`.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw invalid('The body is empty.')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid('The body is not UTF-8.')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(`The body is not JSON: ${error instanceof Error ? error.message : 'it ends too early'}.`)
  }
  checkStructure(text)
  return value
}

interface Level {
  /** Keys seen so far; undefined in an array. */
  readonly keys: Set<string> | undefined
  isKeyNext: boolean
}

/** Walks over text that is known to be JSON. */
function checkStructure(text: string): void {
  const levels: Level[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    const level = levels.at(-1)
    if (char === '"') {
      const end = endOfString(text, at)
      checkString(JSON.parse(text.slice(at, end + 1)) as string, level)
      at = end
    } else if (char === '{' || char === '[') {
      if (levels.length === maxDepth) throw invalid(`The body has more than ${maxDepth} levels.`)
      levels.push({ keys: char === '{' ? new Set() : undefined, isKeyNext: char === '{' })
    } else if (char === '}' || char === ']') {
      levels.pop()
    } else if (level?.keys && (char === ',' || char === ':')) {
      level.isKeyNext = char === ','
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

function checkString(value: string, level: Level | undefined): void {
  if (value.includes('\u0000')) throw badText('a NUL character, which cannot be stored')
  if (!value.isWellFormed()) throw badText('half of a surrogate pair, which is not Unicode text')
  if (!level?.keys || !level.isKeyNext) return
  const target = { type: 'field', name: value.slice(0, 1024) || '(empty)' } as const
  if (value === '__proto__') throw new UserError('unknown_field', 'There is no field `__proto__` here.', { target })
  if (level.keys.has(value)) {
    throw new UserError('invalid_json', `The field \`${value}\` stands in its object twice.`, { target })
  }
  level.keys.add(value)
}

function badText(what: string): UserError {
  return new UserError('invalid_field', `The body has ${what}.`)
}

function invalid(message: string): UserError {
  return new UserError('invalid_json', message)
}
