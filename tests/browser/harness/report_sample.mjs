// A report as the text model writes it, and the summary that is spoken after it.
export const kReport = {
  proficiency_level: 'B1',
  ceiling_phase: 'level-up',
  ceiling_analysis: 'You told your weekend in order and gave a reason for each choice. Asked whether life in a city is fairer than in the country, you changed to single words and then to English.',
  domain_analyses: [
    {domain: 'fluency_interaction', rating: 6, observation: 'Your turns are three or four sentences long and you react to the interviewer. Longer pauses come before reasons.', evidence: '어… 저는 주말에 친구하고 한강에 가서 자전거를 탔어요.'},
    {domain: 'grammar', rating: 5, observation: 'Past tense and -아서/어서 are safe. Quotations and conditions are avoided.', evidence: '비가 오면… 오니까 못 갔어요.'},
    {domain: 'lexical', rating: 4, observation: 'Everyday words come quickly; for opinions you repeat 좋다 and 나쁘다.', evidence: '도시는 좋아요. 시골도 좋아요. 그냥 좋아요.'},
    {domain: 'coherence', rating: 7, observation: 'The order of events is clear throughout, with 그래서 and 그런데 in the right places.', evidence: '그런데 자전거가 고장 나서 그래서 걸어서 왔어요.'},
    {domain: 'pragmatic', rating: 5, observation: '-아요/어요 is steady. Under pressure the softening disappears.', evidence: '몰라요. 아니요.'},
  ],
  starting_module: 'B1-2 Giving and weighing opinions',
  logic_errors_to_debug: [
    'You said "저는 생각해요 도시가 좋아요". Better: "저는 도시가 좋다고 생각해요." The thought comes before 고, the verb at the end.',
    'You said "친구를 만나서 재미있었어요 때문에". Better: "친구를 만났기 때문에 재미있었어요." 때문에 follows -기, not the finished verb.',
  ],
  optimization_strategy: 'Every evening, say for one minute what you think about one piece of news, with two reasons and one "but". Record it, and listen for -다고 생각하다.',
};

export const kSummary = 'You speak Korean at level B1. Your strongest side is how you order your story. Start with module B1-2.';
