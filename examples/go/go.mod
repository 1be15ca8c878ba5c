module blinkstore.example

go 1.21
