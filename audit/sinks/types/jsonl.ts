import { dailyFile } from '../daily-file.ts'
import { jsonLine } from '../formats/json.ts'
import type { SinkType } from '../sink.ts'
import { fileTarget } from '../targets.ts'

/** JSON lines in files, one for each day. */
export const jsonl: SinkType = {
  name: 'jsonl',
  about: 'Files of JSON lines on this machine, one for each day.',
  example: 'archive jsonl audit',
  options: {},
  readTarget: fileTarget,
  exclusive: true,
  open: ({ target }, { folder }) => dailyFile({ folder, name: target, extension: 'jsonl', line: jsonLine }),
}
