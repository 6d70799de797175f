import { maxProcessTypeLength, processTypePattern } from '@gantry/api'
import type { ProcessTypePlan } from '../builders/builder.ts'
import { UserError } from '../kernel/errors.ts'

const maxProcessTypes = 50
const maxLineLength = 16_384

/**
 * Reads a Procfile: `name: command` lines, blank lines, and comments that begin with `#`. A command goes to the end of
 * its line. Throws `UserError` `procfile_invalid` with the line and column, counted from 1, of the first fault.
 */
export function parseProcfile(text: string): Record<string, ProcessTypePlan> {
  const found = new Map<string, { command: string; line: number }>()
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const content = raw.replace(/\r$/, '')
    const line = index + 1
    if (/^[ \t]*(?:#.*)?$/.test(content)) continue
    const { name, command } = parseLine(content, line)
    const first = found.get(name)
    const column = content.indexOf(name) + 1
    if (first) throw fault(line, column, `the process type "${name}" is already on line ${first.line}`)
    if (found.size === maxProcessTypes) throw fault(line, 1, `there are more than ${maxProcessTypes} process types`)
    found.set(name, { command, line })
  }
  if (found.size === 0) {
    throw new UserError(
      'procfile_invalid',
      'Procfile: it has no process type. Write for example "web: node server.js".',
    )
  }
  return Object.fromEntries([...found].map(([name, { command }]) => [name, { command, overlap: name !== 'clock' }]))
}

function parseLine(content: string, line: number): { name: string; command: string } {
  if (content.length > maxLineLength)
    throw fault(line, maxLineLength + 1, `the line is longer than ${maxLineLength} characters`)
  const control = /[\u0000-\u0008\u000a-\u001f\u007f]/.exec(content)
  if (control) throw fault(line, control.index + 1, 'a control character is not allowed')
  const colon = content.indexOf(':')
  if (colon < 0) throw fault(line, content.trimEnd().length + 1, 'expected ":" after the process type')
  const start = content.search(/[^ \t]/)
  const name = content.slice(start, colon).trimEnd()
  const column = start + 1
  if (name === '') throw fault(line, column, 'expected the name of a process type before ":"')
  if (!processTypePattern.test(name)) {
    const at = name.search(/^[^A-Za-z]|[^\w-]/)
    throw fault(line, column + at, `"${name}" is not a process type: a letter first, then letters, digits, "-" and "_"`)
  }
  if (name.length > maxProcessTypeLength) {
    throw fault(line, column, `a process type has at most ${maxProcessTypeLength} characters`)
  }
  const command = content.slice(colon + 1).trim()
  if (command === '') throw fault(line, colon + 2, `expected a command after "${name}:"`)
  return { name, command }
}

function fault(line: number, column: number, message: string): UserError {
  return new UserError('procfile_invalid', `Procfile, line ${line}, column ${column}: ${message}.`)
}
