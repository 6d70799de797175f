import type { Context } from './context.ts'
import type { ExitCode } from './exit-codes.ts'

/** One command as data: help, parser and docs/reference/cli.md come from it. */
export interface CommandDefinition {
  /** `['apps', 'create']`. */
  readonly path: readonly string[]
  /** A sentence without a period. */
  readonly summary: string
  /** Further paragraphs for `--help`. */
  readonly description?: string
  /** commander's notation: `<name>`, `[version]`, `<pairs...>`; with a sentence each. */
  readonly arguments?: Readonly<Record<string, string>>
  /** commander's notation: `-n, --lines <count>`; with a sentence each. */
  readonly options?: Readonly<Record<string, string>>
  /** Has `--app`; with `takesEnvironment` also `--env`. */
  readonly takesApp?: true
  readonly takesEnvironment?: true
  /** Takes as long as it needs to end after Ctrl-C. Others get a moment. */
  readonly endsItself?: true
  /** Command lines and what they do. At least one. */
  readonly examples: readonly (readonly [line: string, does: string])[]
}

export interface Input {
  readonly arguments: readonly string[]
  /** By commander's camel-case name; a flag is `true`, a value is text. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>
}

/** What a command's module exports as `run`. Returns the exit code where it is not 0. */
export type Run = (context: Context, input: Input) => Promise<ExitCode | undefined> | Promise<void>

export interface CommandModule {
  readonly definition: CommandDefinition
  readonly run: Run
}

/** The text of an option, where it was given. */
export function textOption(input: Input, name: string): string | undefined {
  const value = input.options[name]
  return typeof value === 'string' ? value : undefined
}

export function flag(input: Input, name: string): boolean {
  return input.options[name] === true
}
