import { z } from 'zod'
import { type ErrorCode, errorCatalogue, errorCodes, errorUrl, isErrorCode } from './errors.ts'
import { href, integer, listOf, prose, text } from './fields.ts'

/** Errors as they go over the wire: one body for every 4xx and 5xx, and the entries in `errors` of builds and deploys. */

export const errorTargetSchema = z
  .strictObject({
    type: z.enum(['field', 'parameter', 'header']).meta({ description: 'The kind of part.', examples: ['field'] }),
    name: text({
      description: 'The name of the field (dotted), parameter or header.',
      pattern: /^[^\u0000-\u001f]*$/,
      min: 0,
      max: 1024,
      example: 'name',
    }),
  })
  .meta({
    id: 'ErrorTarget',
    description: 'The part of the request that caused the problem.',
    examples: [{ type: 'field', name: 'name' }],
  })

const exampleUrl = 'https://gantry.example.com/docs/errors/name_invalid'
const exampleError = {
  code: 'name_invalid',
  message: '`name` must begin with a lower-case letter.',
  more_info: exampleUrl,
  target: { type: 'field', name: 'name' },
}

export const errorSchema = z
  .strictObject({
    code: z.enum(errorCodes).meta({ description: 'A stable code for programs.', examples: ['name_invalid'] }),
    message: prose('What happened, where, and what to do.', exampleError.message),
    more_info: href('Where the error code is explained.', exampleUrl),
    target: errorTargetSchema.optional(),
  })
  .meta({ id: 'Error', description: 'One problem.', examples: [exampleError] })

export const errorContainerSchema = z
  .strictObject({
    type: href('The RFC 9457 problem type: the documentation of the first error code.', exampleUrl),
    title: text({
      description: 'The RFC 9457 summary of the problem type.',
      pattern: /^.+$/,
      max: 256,
      example: 'A name is malformed',
    }),
    status: integer({ description: 'The HTTP status code.', min: 400, max: 599, example: 400 }),
    trace: text({
      description: 'The value of the `X-Request-ID` response header.',
      pattern: /^[A-Za-z0-9 ,_-]+$/,
      min: 8,
      max: 1024,
      example: '9daee671-916a-4678-850b-10b911f0236d',
    }),
    errors: z.array(errorSchema).min(1).max(100).meta({ description: 'One entry per problem found, at least one.' }),
  })
  .meta({
    id: 'ErrorContainer',
    description:
      'The body of every error: the IBM error container and, with the same members, an RFC 9457 problem document (`trace` and `errors` are extension members).',
    examples: [
      {
        type: exampleUrl,
        title: 'A name is malformed',
        status: 400,
        trace: '9daee671-916a-4678-850b-10b911f0236d',
        errors: [exampleError],
      },
    ],
  })

export const errorListOf = (description: string) => listOf(description, errorSchema, 100)

export type ErrorTarget = Readonly<z.output<typeof errorTargetSchema>>
/** One problem on the wire. `Error` in the document. */
export type WireError = Readonly<z.output<typeof errorSchema>>
export type ErrorContainer = Readonly<z.output<typeof errorContainerSchema>>

/** A problem before it has a URL. */
export interface Problem {
  readonly code: ErrorCode
  readonly message: string
  readonly target?: ErrorTarget | undefined
}

/** The entry for a problem, with the page that explains it. */
export function toWireError(baseUrl: string, problem: Problem): WireError {
  const { code, message, target } = problem
  const shown = target && { ...target, name: withoutControls(target.name) }
  return {
    code,
    message: message.replaceAll('\u0000', '\ufffd'),
    more_info: errorUrl(baseUrl, code),
    ...(shown ? { target: shown } : {}),
  }
}

/** The name of what is wrong may be the caller's own, and the document promises that it has none. */
function withoutControls(name: string): string {
  return name.replaceAll(/[\u0000-\u001f\u007f]/g, '\ufffd')
}

/** The whole error body; its status is that of the first problem. */
export function toErrorContainer(
  baseUrl: string,
  trace: string,
  problems: readonly [Problem, ...Problem[]],
): ErrorContainer {
  const first = errorCatalogue[problems[0].code]
  return {
    type: errorUrl(baseUrl, problems[0].code),
    title: first.title,
    status: first.status,
    trace,
    errors: problems.slice(0, 100).map((problem) => toWireError(baseUrl, problem)),
  }
}

/** Where input came from, and so which codes its problems have: `missing_field` in a body, `missing_parameter` in a query. */
export type InputPlace = 'field' | 'parameter'

export type InputResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] }

/** Parses a body, a query or path parameters; the problems it finds, at most 100, say what is wrong with each part. */
export function readInput<S extends z.ZodType>(schema: S, raw: unknown, place: InputPlace): InputResult<z.output<S>> {
  const result = schema.safeParse(raw)
  if (result.success) return { ok: true, value: result.data }
  const found = new Map<string, Problem>()
  for (const problem of result.error.issues.flatMap((issue) => problemsOfIssue(issue, raw, place))) {
    const key = `${problem.code} ${problem.target?.name ?? ''}`
    if (!found.has(key)) found.set(key, problem)
  }
  const [first, ...rest] = [...found.values()].slice(0, 100)
  return { ok: false, problems: [first ?? { code: `invalid_${place}`, message: result.error.message }, ...rest] }
}

function problemsOfIssue(issue: z.core.$ZodIssue, raw: unknown, place: InputPlace): Problem[] {
  const target = targetOf(issue.path, place)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const unknown = targetOf([...issue.path, key], place)
      return {
        code: `unknown_${place}`,
        message: `There is no ${place} \`${unknown?.name ?? key}\` here.`,
        target: unknown,
      }
    })
  }
  const subject = target ? `\`${target.name}\`` : place === 'field' ? 'The body' : 'The query'
  if (issue.code === 'invalid_type' && target && valueAt(raw, issue.path) === undefined) {
    return [{ code: `missing_${place}`, message: `${subject} is missing.`, target }]
  }
  return [{ code: codeOf(issue, place), message: `${subject} ${sentence(issue.message)}`, target }]
}

function targetOf(path: readonly PropertyKey[], type: InputPlace): ErrorTarget | undefined {
  if (path.length === 0) return undefined
  return { type, name: withoutControls(path.map(String).join('.').slice(0, 1024)) }
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  }
  return value
}

function codeOf(issue: z.core.$ZodIssue, place: InputPlace): ErrorCode {
  const given: unknown = issue.code === 'custom' ? issue.params?.code : undefined
  return typeof given === 'string' && isErrorCode(given) ? given : `invalid_${place}`
}

/** Our own messages go on from the subject (`must …`); zod's are set apart. */
function sentence(message: string): string {
  const text = message.endsWith('.') ? message : `${message}.`
  return /^(must|may|is|has) /.test(text) ? text : `is not valid: ${text.charAt(0).toLowerCase()}${text.slice(1)}`
}
