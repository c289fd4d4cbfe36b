"""Words that users and .proto files have for the same thing: the everyday one beside the technical one.

Written by hand. The verbs are the standard methods of https://google.aip.dev/130 and the usual custom ones,
with what people say for them; the nouns are those of APIs in general. A group says "may stand for", no more.
"""

import re
from collections.abc import Mapping
from functools import cache

from broker.catalog.search_words import stem

_LIKENESS = 0.6
"""How well a synonym says it, beside the word itself."""

_GROUPS = """
create make add new insert set_up open build generate provision register launch define 创建 新建 添加 新增
get show read fetch retrieve look_up lookup see view describe give return tell 获取 查看 显示 读取
list show which enumerate browse all display 列出 列表 所有 有哪些
search find look_for query discover locate seek 搜索 查找 查询 寻找
update change modify edit set alter patch adjust configure replace 更新 修改 更改 编辑 设置
delete remove erase drop destroy purge get_rid wipe discard throw_away take_down clear 删除 移除 清除
undelete restore recover bring_back put_back undo revert 恢复 还原 撤销
start begin run execute launch trigger kick_off fire invoke boot 启动 开始 运行 执行
stop halt end terminate shut_down turn_off power_off abort quit hang_up finish 停止 终止 关闭
cancel abort call_off stop withdraw revoke 取消
pause suspend hold freeze 暂停
resume continue unpause go_on 继续
restart reboot reset bounce 重启
enable turn_on switch_on activate allow 启用 开启
disable turn_off switch_off deactivate block 禁用 停用
send post publish emit deliver push submit dispatch write 发送 发布 提交
receive pull get accept fetch 接收
approve accept allow agree confirm grant permit say_yes 批准 同意
reject deny decline refuse dismiss forbid 拒绝
grant give allow permit authorize bind 授予 授权
revoke withdraw take_away invalidate remove 吊销
import load bring upload ingest 导入 上传
export dump save download extract 导出 下载
copy duplicate clone replicate mirror 复制 拷贝
move transfer migrate relocate 移动 迁移
rename change_name 重命名
attach connect join link plug mount associate bind 挂载 连接
detach disconnect unlink unplug unmount dissociate 卸载 断开
merge combine join compose concatenate unite 合并
convert transform transcode translate turn_into change 转换
translate translation language 翻译
check verify validate test inspect examine probe 检查 验证 校验
analyze analyse examine investigate study explain diagnose troubleshoot why 分析
detect recognize identify find spot 检测 识别
classify categorize label tag 分类
monitor watch observe track follow 监控 观察
predict forecast estimate expect infer inference 预测
recommend suggest propose advise hint advice recommendation suggestion 推荐 建议
calculate compute work_out determine count 计算
resize scale grow shrink enlarge capacity size 扩容
upgrade update newer version 升级
roll_back rollback revert restore 回滚
deploy release roll_out rollout ship install serve 部署
lock reserve hold block 锁定
sign signature certify 签名
encrypt protect cipher encryption ciphertext plaintext 加密
decrypt decipher plaintext ciphertext 解密
compress archive zip
invite add member membership participant 邀请
mute silence snooze suppress quiet 静音
subscribe follow listen subscription 订阅
buy purchase order procure acquire commitment 购买
schedule cron periodic recurring nightly daily weekly 定时 计划
acknowledge ack confirm receipt 确认
ask question query request 提问
reply answer respond response 回复 回答
talk speak conversation chat dialogue dialog session 对话 聊天
say utter speak utterance speech transcript
browse navigate crawl scan
machine instance vm virtual_machine server node host computer 虚拟机 服务器 实例
disk volume drive storage ssd 磁盘 硬盘
memory ram cache
processor cpu core gpu accelerator tpu chip
snapshot backup copy back_up protect 快照 备份
network vpc subnet internet 网络
ip address addresses ipv4 ipv6
firewall rule traffic port allow ingress egress 防火墙
load_balancer balancer forwarding proxy
website site page web url uri webpage homepage domain host 网站 网页
url link uri address
domain dns hostname 域名
file object blob document 文件 文档
directory folder path prefix 文件夹 目录
bucket storage object container 存储桶
database db instance sql 数据库
table entity relation sheet 表
row record entry line entity 行 记录
column field property attribute 列 字段
key id identifier name 键
transaction commit atomic 事务
index lookup
query select statement sql
replica copy standby secondary read_replica 副本
primary main leader
dataset data_set collection corpus data 数据集
secret password credential token passphrase 密码 密钥 凭证
certificate tls ssl credential https x509 证书
credential login token key secret authentication
login sign_in log_in authenticate signin authentication session 登录
user person account people member principal 用户
account profile
service_account identity
permission access right privilege role iam policy 权限
policy rule constraint restriction guardrail 策略
group team membership 组
organization company enterprise business firm org 组织 公司
employee colleague staff coworker worker
customer client buyer consumer shopper end-user visitor 客户
audience visitor user
message notification mail email text 消息 通知 邮件
email mail
sms text phone
phone telephone mobile call 电话
alert alarm warning warn notification incident 警报 告警
log journal entry record audit 日志
metric measurement time_series series statistic stats counter usage 指标
error exception failure crash bug problem fault 错误 异常
bug issue problem incident
outage incident disruption downtime
ticket case issue support
trace span request latency
latency delay slow duration
status state progress condition health 状态
job task work operation batch run 任务 作业
operation work long-running task
queue backlog 队列
pipeline workflow process flow 流水线 工作流
workflow steps
event trigger occurrence happening 事件
function lambda serverless code 函数
container docker image 容器
image picture photo photograph 图片 照片 图像
video film movie clip footage recording 视频
audio sound voice speech recording mp3 语音 音频
voice speech speak read_aloud aloud synthesize pronounce
recording recorded record
transcript transcribe speech text write_down
text prose writing paragraph sentence passage article content 文本 文字
language tongue
sentiment emotion feeling tone mood
entity thing item
harmful toxic unsafe offensive abusive safety moderate
personal sensitive private pii infotype
mask redact hide anonymize deidentify
privacy personal
vulnerability cve weakness security hole flaw 漏洞
finding vulnerability result
malware virus malicious phishing threat attack
bot robot automated agent
agent assistant bot chatbot
price cost fee pricing rate sku 价格 费用
cost spend expense charge saving
bill invoice billing charge payment 账单 发票
budget spend limit threshold 预算
quota limit allowance 配额
money currency amount payment 金额
order purchase
product item good goods merchandise offer article 商品 产品
shop store retail merchant ecommerce 商店
stock inventory availability 库存
cart basket
coupon promotion discount promo 优惠
delivery shipping shipment parcel package courier 配送 物流
advertisement ad ads advert campaign 广告
keyword word search_term term
conversion sale purchase success goal
visitor traffic session pageview
report statistics overview summary 报告 报表
revenue earnings income 收入
place location venue restaurant poi 地点
location place position region coordinates where 位置
region zone area location country continent 区域 地区
near nearby close nearest around within neighbor 附近
address postal mailing street
route path directions way drive journey 路线
road street highway
trip ride journey taxi 行程
vehicle car truck taxi van 车辆
driver chauffeur
distance travel metres meters
map cartography
weather temperature humidity forecast climate 天气
rain precipitation
temperature warm hot cold degrees celsius
building house roof
date day calendar
time hour minute period 时间
deadline timeout expiry
history past earlier previous activity log 历史
version revision release 版本
release candidate rollout
label tag annotation 标签
tag label category
comment note remark feedback reply 评论
note occurrence
feedback rating opinion review 反馈
term glossary vocabulary word definition 术语
lineage origin provenance upstream downstream
catalog directory registry
registry repository store
repository repo git source 仓库
source origin code
code source program
build compile construct make 构建
artifact package binary
test try experiment check trial 测试
environment sandbox setup workspace
cluster kubernetes k8s 集群
node machine worker
topic channel stream 主题
stream feed live continuous
broadcast live stream channel 直播
conference meeting call video_call 会议
meeting room space conference
participant attendee member person
device thing gadget phone sensor iot 设备
job position vacancy opening role employment 职位
resume cv candidate
model neural_network network ml 模型
train learn fit 训练
prediction inference forecast
embedding vector
nearest neighbor similar similarity
prompt question input
token unit
rank reorder sort order relevance
ssh terminal shell console
console terminal output
public_key ssh key
notebook jupyter
cdc replicate change_data_capture
terraform infrastructure
patch security_update software update
software package installed inventory
settings configuration preferences options config parameters 配置 设置
limit quota maximum cap
support help ticket case
contact person email
"""


@cache
def _table() -> Mapping[str, frozenset[str]]:
    """Stem, or phrase → the stems that may stand for it."""
    table: dict[str, set[str]] = {}
    for group in _GROUPS.strip().splitlines():
        names = group.split()
        stems = {stem(name) for name in names if name.isascii() and "_" not in name}
        for name in names:
            key = name.replace("_", " ") if "_" in name or not name.isascii() else stem(name)
            table.setdefault(key, set()).update(stems - {key})
    return {key: frozenset(found) for key, found in table.items()}


@cache
def _phrases() -> re.Pattern[str]:
    phrases = sorted((key for key in _table() if " " in key or not key.isascii()), key=len, reverse=True)
    return re.compile("|".join(rf"\b{key}\b" if key.isascii() else key for key in phrases))


def synonyms(word: str) -> dict[str, float]:
    """The stems that may stand for a stem or a phrase, and how well each does.

    >>> sorted(synonyms("rollback"))
    ['restor', 'revert']
    """
    return dict.fromkeys(_table().get(word, ()), _LIKENESS)


def phrases(text: str) -> list[str]:
    """The phrases of a text that have synonyms.

    >>> phrases("Turn off the lamp, 删除")
    ['turn off', '删除']
    """
    return list(dict.fromkeys(_phrases().findall(text.lower())))
