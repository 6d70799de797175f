/** Where text stops being JSON, counted from 1. */
export interface JsonFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

interface Scan {
  readonly text: string
  at: number
}

const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![\w.+-]))/y

class Unexpected extends Error {
  readonly at: number
  constructor(at: number, expected: string) {
    super(`expected ${expected}`)
    this.at = at
  }
}

/**
 * Finds the place that `JSON.parse` does not tell for most faults. `undefined` for JSON. Deeper nesting than 200 is a
 * fault as well.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const scan: Scan = { text, at: 0 }
  try {
    value(scan, 0)
    skipBlank(scan)
    if (scan.at < text.length) throw new Unexpected(scan.at, 'the end of the file')
    return undefined
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error
    const before = text.slice(0, error.at)
    const line = before.split('\n').length
    const found = error.at >= text.length ? 'the file ends' : `found ${JSON.stringify(text[error.at])}`
    return { line, column: error.at - before.lastIndexOf('\n'), message: `${error.message}, ${found}` }
  }
}

function skipBlank(scan: Scan): void {
  while (' \t\n\r'.includes(scan.text[scan.at] ?? 'x')) scan.at++
}

function next(scan: Scan, expected: string): { mark?: string; string?: string } {
  token.lastIndex = scan.at
  const match = token.exec(scan.text)
  if (!match) {
    skipBlank(scan)
    throw new Unexpected(scan.at, expected)
  }
  scan.at = token.lastIndex
  return { ...(match[1] && { mark: match[1] }), ...(match[2] && { string: match[2] }) }
}

/** Takes a mark that must be one of `marks`, and says which it was. */
function take(scan: Scan, marks: string, expected: string): string {
  skipBlank(scan)
  const start = scan.at
  const { mark } = next(scan, expected)
  if (mark && marks.includes(mark)) return mark
  throw new Unexpected(start, expected)
}

function peek(scan: Scan): string {
  skipBlank(scan)
  return scan.text[scan.at] ?? ''
}

function value(scan: Scan, depth: number): void {
  if (depth > 200) throw new Unexpected(scan.at, 'less nesting')
  skipBlank(scan)
  const start = scan.at
  const { mark } = next(scan, 'a value')
  if (mark === '{') members(scan, depth)
  else if (mark === '[') items(scan, depth)
  else if (mark) throw new Unexpected(start, 'a value')
}

function members(scan: Scan, depth: number): void {
  if (peek(scan) === '}') {
    scan.at++
    return
  }
  do {
    skipBlank(scan)
    const start = scan.at
    if (!next(scan, 'a name in double quotes').string) throw new Unexpected(start, 'a name in double quotes')
    take(scan, ':', '":"')
    value(scan, depth + 1)
  } while (take(scan, ',}', '"," or "}"') === ',')
}

function items(scan: Scan, depth: number): void {
  if (peek(scan) === ']') {
    scan.at++
    return
  }
  do value(scan, depth + 1)
  while (take(scan, ',]', '"," or "]"') === ',')
}
