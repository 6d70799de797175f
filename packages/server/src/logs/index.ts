export type { LogAppender } from './append-lines.ts'
export { buildStream, deployStream, environmentStream, type LogLine, maxStreamBytesOf } from './log-line.ts'
export { createLogs, type FollowOptions, type Logs, type LogsDeps, type PageOptions } from './logs.ts'
export type { LinesPage } from './read-lines.ts'
