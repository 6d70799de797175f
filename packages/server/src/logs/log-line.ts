import type { AppId, BuildId, DeployId, EnvironmentId } from '../kernel/ids.ts'

/** One line of output, as it was written. */
export interface LogLine {
  /** Segment and byte offset: it grows along the stream and stays the same for as long as the line is kept. */
  readonly id: string
  /** RFC 3339 in UTC with milliseconds: when the line was received. */
  readonly at: string
  /** Which part wrote it: `web.1`, `build`, `deploy`, or `gantry` for the platform itself. */
  readonly source: string
  readonly message: string
}

/** Name of an output stream. */
export type LogStream = `app/${AppId}/${EnvironmentId}` | `build/${AppId}/${BuildId}` | `deploy/${AppId}/${DeployId}`

export const environmentStream = (app: AppId, environment: EnvironmentId): LogStream => `app/${app}/${environment}`
export const buildStream = (app: AppId, build: BuildId): LogStream => `build/${app}/${build}`
export const deployStream = (app: AppId, deploy: DeployId): LogStream => `deploy/${app}/${deploy}`

const mebibyte = 1024 * 1024

/** Bytes that a stream may keep; for `app` all environments of the app together. */
export function maxStreamBytesOf(stream: string): number {
  if (stream.startsWith('app/')) return 100 * mebibyte
  return stream.startsWith('build/') ? 16 * mebibyte : 4 * mebibyte
}

export interface LineFilter {
  /** A source, or all of a process type: `web` takes `web.1` and `web.2`. */
  readonly source?: string | undefined
  /** Only lines received at this moment or later. */
  readonly since?: Date | undefined
}

export function matches(line: Pick<LogLine, 'at' | 'source'>, filter: LineFilter): boolean {
  if (filter.since && line.at < filter.since.toISOString()) return false
  if (filter.source === undefined) return true
  return line.source === filter.source || line.source.startsWith(`${filter.source}.`)
}
