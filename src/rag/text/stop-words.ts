/**
 * English function words: articles, prepositions, conjunctions, pronouns, auxiliaries, question
 * words. They are cut from queries only; the index keeps them. Other languages have no list:
 * measured, lists did not pay there.
 */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an the this that these those and or but nor so if then than as because while ' +
    'of in on at by for with about against between into through during before after above below ' +
    'to from up down out off over under within without via per ' +
    'i me my mine we us our ours you your yours he him his she her hers it its they them their theirs ' +
    'one someone something there here ' +
    'am is are was were be been being do does did doing done have has had having ' +
    'can could will would shall should may might must ' +
    'what which who whom whose when where why how ' +
    'not no any some all each both such own same too very just also only ' +
    'don doesn didn isn aren wasn weren won wouldn couldn shouldn let please'
  ).split(' '),
);

/** Chinese question words, simplified and traditional: bigrams made of them would only match questions. */
export const CHINESE_QUESTION_WORDS: RegExp =
  /什么|什麼|甚麼|哪|谁|誰|多少|如何|怎么|怎麼|怎样|怎樣|怎|为何|為何|吗|嗎|呢/gu;
