import { escapeHtml } from '../framework/render.ts'
import type { SayJob } from '../framework/say.ts'

/** An `m.text` message with its HTML, in a thread where one is named. */
export const content = ({ text, html, thread }: Omit<SayJob, 'to'>) => ({
  msgtype: 'm.text',
  body: text,
  format: 'org.matrix.custom.html',
  formatted_body: html ?? escapeHtml(text).replaceAll('\n', '<br>'),
  ...(thread
    ? {
        'm.relates_to': {
          rel_type: 'm.thread',
          event_id: thread,
          is_falling_back: true,
          'm.in_reply_to': { event_id: thread },
        },
      }
    : {}),
})
