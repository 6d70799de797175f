import type { CommandDefinition } from '../../../packages/cli/src/command.ts'
import { commands } from '../../../packages/cli/src/commands/index.ts'
import type { Payload } from './payloads.ts'

/** Those that start and stop the platform, and those whose argument is an address to call. */
const leftOut = ['up', 'down', 'restart', 'service', 'login', 'join']

/** A command line with one hostile word in it. */
export type CommandLine = readonly string[]

/** Every argument and every third option of each command, each with the next payload; some after `--`. */
export function hostileCommandLines(payloads: readonly Payload[]): readonly CommandLine[] {
  const usable = payloads.filter(({ text }) => !text.includes('\u0000')) // no argument can have one
  const lines = commands
    .map(({ definition }) => definition)
    .filter(({ path }) => !leftOut.includes(path[0] ?? ''))
    .flatMap((definition, nth) => [
      ...argumentLines(definition, nth),
      ...optionLines(definition).filter((_, at) => (at + nth) % 3 === 0),
    ])
  return lines.map((line, index) => line(usable[(index * 37) % usable.length]?.text ?? ''))
}

type Line = (text: string) => CommandLine

function argumentLines({ path, arguments: named = {}, takesApp }: CommandDefinition, nth: number): Line[] {
  const app = takesApp ? ['--app', 'target'] : []
  const dashes = nth % 2 === 0 ? ['--'] : []
  return Object.keys(named).map((notation, index, all) => (text) => {
    const word = notation.includes('pairs') ? `NAME=${text}` : text
    return [...path, ...app, ...dashes, ...all.map((_, at) => (at === index ? word : 'x'))]
  })
}

function optionLines(definition: CommandDefinition): Line[] {
  const { path, options = {}, arguments: named = {}, takesApp, takesEnvironment } = definition
  const needed = Object.keys(named).flatMap((notation) => (notation.startsWith('<') ? ['x'] : []))
  const flags = Object.keys(options).flatMap((notation) => /(--[a-z-]+) </.exec(notation)?.[1] ?? [])
  const app = takesApp ? ['--app', 'target'] : []
  return [
    ...flags.map(
      (flag): Line =>
        (text) => [...path, ...app, ...needed, flag, text],
    ),
    ...(takesApp ? [(text: string) => [...path, ...needed, '--app', text]] : []),
    ...(takesEnvironment ? [(text: string) => [...path, ...app, ...needed, `--env=${text}`]] : []),
  ]
}
