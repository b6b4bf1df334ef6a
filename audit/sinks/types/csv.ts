import { dailyFile } from '../daily-file.ts'
import { csvHead, csvLine } from '../formats/csv.ts'
import type { SinkType } from '../sink.ts'
import { fileTarget } from '../targets.ts'

/** CSV files, one for each day, that a spreadsheet opens without running anything. */
export const csv: SinkType = {
  name: 'csv',
  about: 'Files for spreadsheets (CSV) on this machine, one for each day.',
  example: 'tables csv audit',
  options: {},
  readTarget: fileTarget,
  exclusive: true,
  open: ({ target }, { folder }) => dailyFile({ folder, name: target, extension: 'csv', head: csvHead, line: csvLine }),
}
