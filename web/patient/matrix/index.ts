export { open, warm } from './open.ts'
export { preparePhoto } from './photo.ts'
