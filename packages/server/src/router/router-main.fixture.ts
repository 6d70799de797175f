import { runRouter } from './router-main.ts'

await runRouter()
process.exit()
