module github.com/agentjobs/jobs/compat

go 1.25

require (
	github.com/adhocore/gronx v1.20.4
	github.com/agentjobs/jobs v0.0.0
	github.com/gorhill/cronexpr v0.0.0-20180427100037-88b0669f7d75
	github.com/reugn/go-quartz v0.15.2
	github.com/robfig/cron/v3 v3.0.1
	github.com/stretchr/testify v1.12.1
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace github.com/agentjobs/jobs => ../
