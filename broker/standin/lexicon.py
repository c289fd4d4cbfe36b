"""Field-neutral vocabulary: function words, general notions in English and Chinese, numerals, measures.

Nothing here belongs to a line of business: what a tool is about comes from its schema and its comments alone.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FUNCTION_WORDS = frozenset(
    _words(
        """
        a an the this that these those some any all each every both no not and or but if then than so as
        just only very i me my mine we us our you your he him his she her it its they them their who whom
        whose which what when where why how is are was were be been being am do does did done have has had
        having will would shall should can could may might must let lets please thanks thank hello hi hey ok
        okay yes of in on at by for with about into onto to from up down out over under near around between
        during through after before since until till per via there here like want wants need needs know tell
        show give get fetch find look check see say ask make use using whether also too again more most much
        many few lot well good bad right now today tonight tomorrow yesterday day days next last coming
        upcoming current currently future past named called titled i'm i'd i'll what's who's where's how's
        it's that's let's don't doesn't isn't can't rather quite e.g i.e etc one's
        """
    )
)
"""English words that are never a value, and say nothing about what a sentence is about."""

DETERMINERS = frozenset(
    _words("a an the me my us our all it this that some these those any your him her them")
)
"""A capitalised word at the head of a sentence is a verb when one of these follows."""

PREPOSITIONS = frozenset(_words("in at for of from to about near on with by named called titled is as"))
"""What stands before a name."""

NEGATIONS = frozenset(_words("no not without don't doesn't never"))
HAN_NEGATIONS = ("不要", "不用", "不需要", "没有", "无需", "不", "别", "无")

CONCEPTS: tuple[tuple[str, str, str], ...] = (
    # When. They tell tools apart, but do not say what a sentence is about.
    ("time:now", "today now current currently present tonight", "今天 今日 今晚 现在 目前 当前 此刻 实时"),
    (
        "time:future",
        "tomorrow coming upcoming future next ahead later",
        "明天 明日 后天 未来 接下来 今后 将来 之后",
    ),
    ("time:past", "yesterday past previous last former history ago", "昨天 前天 过去 以前 之前 历史"),
    ("time:second", "second sec", "秒 秒钟"),
    ("time:minute", "minute min", "分钟"),
    ("time:hour", "hour hourly", "小时 钟头"),
    ("time:day", "day daily", "天 日 每天"),
    ("time:night", "night", "晚 夜"),
    ("time:week", "week weekly", "周 星期 礼拜 每周"),
    ("time:month", "month monthly", "月 个月 每月"),
    ("time:year", "year yearly annual", "年 每年"),
    ("time:date", "date", "日期"),
    ("time:clock", "time", "时间"),
    # From where to where: a hint for a parameter, never for a tool.
    ("way:from", "from origin source start begin since departure sender", "从 自 起 开始 出发"),
    (
        "way:to",
        "to destination end until till recipient receiver arrival target",
        "到 至 去 往 给 结束 截止 收件人",
    ),
    ("way:by", "by with using via", "用 按 以"),
    # What is done. Asking for something says nothing about what is asked for.
    (
        "ask:get",
        "get show tell fetch read look view give check describe",
        "查询 查看 获取 显示 告诉 看看 查一下 查",
    ),
    ("ask:list", "list all every enumerate", "列出 所有 全部 列表"),
    ("do:search", "search find lookup query", "搜索 查找 检索 搜"),
    ("do:create", "create add make new register insert", "创建 新建 添加 增加 新增 注册"),
    ("do:delete", "delete remove erase drop", "删除 移除 删掉 清除"),
    ("do:update", "update change edit modify set", "更新 修改 更改 设置 编辑"),
    ("do:send", "send deliver", "发送 发给 寄给 寄送"),
    ("do:book", "book reserve reservation booking", "预订 预定 订购 预约"),
    ("do:buy", "buy purchase order", "购买 买 下单 订单"),
    ("do:pay", "pay payment", "支付 付款"),
    ("do:cancel", "cancel abort", "取消 撤销"),
    ("do:stop", "stop halt", "停止"),
    ("do:run", "run execute launch", "运行 执行 启动"),
    ("do:open", "open", "打开 开启"),
    ("do:close", "close shut", "关闭 关掉"),
    ("do:convert", "convert conversion exchange", "转换 换算 兑换"),
    ("do:translate", "translate translation", "翻译 译成"),
    ("do:compute", "compute calculate calculation", "计算 算一下"),
    ("do:add", "sum plus", "相加 加上 求和 加"),
    ("do:compare", "compare comparison", "比较 对比"),
    ("do:remind", "remind reminder", "提醒"),
    ("do:schedule", "schedule plan", "安排 日程 计划"),
    ("do:count", "count", "统计 计数"),
    # Things that every trade has.
    ("of:name", "name named called", "名字 名称 名为 叫做 叫 姓名"),
    ("of:title", "title titled subject headline", "标题 题目 主题"),
    ("of:text", "text content body message", "内容 正文 文本 消息"),
    ("of:email", "email mail", "邮件 邮箱 电子邮件"),
    ("of:address", "address", "地址"),
    ("of:phone", "phone telephone", "电话 手机"),
    ("of:number", "number quantity amount", "数量 数目 金额"),
    ("of:price", "price cost fee", "价格 费用 价钱"),
    ("of:person", "person people user customer client guest passenger", "人 位 名 用户 客户 客人 乘客"),
    ("of:piece", "piece item unit copy", "件 份 个 本"),
    ("of:ticket", "ticket", "张 票"),
    ("of:file", "file document", "文件 文档"),
    ("of:picture", "picture image photo", "图片 图像 照片"),
    ("of:place", "place location position", "地点 位置 地方"),
    ("of:company", "company firm", "公司 企业"),
    ("of:product", "product goods article", "产品 商品"),
    ("of:color", "color colour", "颜色"),
    ("of:size", "size", "大小 尺寸"),
    ("of:priority", "priority", "优先级"),
    ("of:status", "status state", "状态"),
    ("of:language", "language", "语言"),
    ("of:note", "note remark comment", "备注 评论 笔记"),
    ("of:task", "task job todo", "任务 待办"),
    ("of:meeting", "meeting", "会议"),
    # Which one.
    ("is:high", "high urgent", "高 紧急 较高"),
    ("is:low", "low", "低 较低"),
    ("is:medium", "medium middle", "中等 中号 中"),
    ("is:normal", "normal standard regular", "普通 正常 标准"),
    ("is:large", "large big", "大 大号 大型 大的"),
    ("is:small", "small little", "小 小号 小型 小的"),
    ("is:fast", "fast quick express", "快 快速 加急"),
    ("is:slow", "slow", "慢 慢速"),
    ("is:cheap", "cheap economy", "便宜 经济"),
    ("is:public", "public", "公开 公共"),
    ("is:private", "private", "私有 私人 私密"),
    ("is:enabled", "enabled enable active", "启用 激活"),
    ("is:disabled", "disabled disable inactive", "禁用 停用"),
    ("is:red", "red", "红 红色"),
    ("is:green", "green", "绿 绿色"),
    ("is:blue", "blue", "蓝 蓝色"),
    ("is:yellow", "yellow", "黄 黄色"),
    ("is:black", "black", "黑 黑色"),
    ("is:white", "white", "白 白色"),
)
"""(notion, its English words, its Chinese words). The part before the colon is the sort of notion."""

VAGUE_SORTS = frozenset(("time", "way", "ask"))
"""Notions that do not show by themselves what a sentence is about."""

HAN_CONJUNCTIONS = ("以及", "还有", "或者", "和", "与", "及", "跟", "或")

HAN_QUESTIONS = _words(
    """
    怎么样 怎样 如何 好吗 好不好 是什么 是多少 有多少 多少 什么 哪里 哪个 哪些 哪儿 为什么 是否 几 吗 呢 吧
    啊 呀 嘛
    """
)
"""What follows the thing that a question is about."""

HAN_PREPOSITIONS = _words("从 到 至 去 往 给 在 叫做 名为 叫 关于 对于 于 用 向")
"""What stands before a name."""

HAN_FUNCTION_WORDS = (
    *HAN_QUESTIONS,
    *HAN_PREPOSITIONS,
    *_words(
        """
        请问 请 帮我 帮忙 麻烦 给我 告诉我 告诉 我想知道 想知道 知道 我想要 想要 我想 我要 需要 我们 你们
        他们 我 你 您 他 她 它 查一下 查询一下 看一下 一下 查询 查看 看看 显示 获取 列出 搜索 查找 可以
        能不能 能否 能 有没有 没有 有哪些 有什么 会不会 是不是 要不要 这个 那个 这里 那里 那么 现在 目前
        当前 此刻 未来 接下来 今后 将来 以后 之后 之前 以前 过去 左右 大概 大约 所有 全部 一个 一些 你好
        您好 谢谢 嗨 哈喽 早上好 晚上好 的 了 是 把 被 将 创建 新建 添加 增加 新增 删除 移除 更新 修改 更改
        设置 发送 发给 寄给 预订 预定 订购 预约 购买 取消 停止 运行 执行 打开 关闭 转换 换算 翻译 计算 比较
        提醒 安排 统计 标题 内容 日期 时间 名字 名称 数量 说说 讲讲 讲 介绍 还是 不要 并且 然后 同时
        """
    ),
)
"""Chinese words that end a name: particles, pronouns, general verbs, what a name is never made of."""

HAN_MEASURES = _words(
    """
    个月 小时 分钟 秒钟 星期 礼拜 公里 千米 公斤 千克 厘米 毫米 美元 欧元 天 日 周 月 年 秒 个 位 人 名 张
    本 次 份 件 台 条 只 间 晚 夜 页 行 倍 岁 杯 斤 升 吨 米 元 块 度 场 节 门 辆 套 瓶 盒 箱 封 篇
    """
)
"""What follows a Chinese numeral; without one of these 三 or 九 may be a part of a name."""

HAN_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
HAN_POWERS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}

_TO_TWENTY = _words(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty
    """
)
NUMBER_WORDS = {word: value for value, word in enumerate(_TO_TWENTY)} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
NUMBER_POWERS = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
