<powershell>
# User data of a Windows instance: installs imds for every user, then uses it.
$ErrorActionPreference = 'Stop'
$name = 'imds-@VERSION@-x86_64-pc-windows-gnu'
$from = 'https://github.com/imds-rs/imds/releases/download/v@VERSION@'
Invoke-WebRequest -UseBasicParsing "$from/$name.zip" -OutFile "$env:TEMP\$name.zip"
Invoke-WebRequest -UseBasicParsing "$from/SHA256SUMS" -OutFile "$env:TEMP\SHA256SUMS"
$wanted = (Select-String -Path "$env:TEMP\SHA256SUMS" -Pattern "  $name.zip$").Line.Split(' ')[0]
if ((Get-FileHash "$env:TEMP\$name.zip").Hash -ne $wanted) { throw 'the checksum differs' }
Expand-Archive "$env:TEMP\$name.zip" -DestinationPath "$env:ProgramFiles" -Force
& "$env:ProgramFiles\$name\imds.exe" get instance-id
</powershell>
